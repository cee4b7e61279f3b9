import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Service } from '../../engine/service.ts';
import type { Permissions } from '../../iam/permissions.ts';
import { readPolicy } from '../../iam/policy.ts';
import type { FunctionRecord } from '../../lambda/function.ts';
import type { Lambda } from '../../lambda/lambda.ts';
import type { Provider } from '../resolve.ts';
import { TemplateError } from '../resolve.ts';
import { zip } from '../zip.ts';
import { call } from './call.ts';

export interface FunctionServices {
  readonly lambda: Lambda;
  readonly events: Service;
  readonly sns: Service;
  readonly permissions: Permissions;
  /** Folder that `CodeUri` and `ContentUri` start from. */
  readonly root: string;
}

type Properties = Readonly<Record<string, unknown>>;

/** The layer without the Node.js it carries on AWS: hosts here run on the machine's own. */
function layerContent(directory: string): Buffer {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return zip(new Map(files.map(({ name }) => [name, readFileSync(join(directory, name))])));
}

interface SamEvent {
  readonly Type: string;
  readonly Properties: Properties;
}

/** SAM's functions with their event sources, and the layer that hosts download. */
export function functionProviders(services: FunctionServices): Record<string, Provider> {
  const { lambda, root, permissions } = services;
  return {
    'AWS::Serverless::Function': async ({ logicalId, properties }) => {
      const record = lambda.createFunction({
        name: String(properties.FunctionName ?? `berth-${logicalId}`),
        codeDir: resolve(root, String(properties.CodeUri)),
        handler: String(properties.Handler),
        timeoutSeconds: Number(properties.Timeout ?? 3),
        memoryMiB: Number(properties.MemorySize ?? 128),
        environment:
          (properties.Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {},
        // One environment of each is kept warm, so that the first event does not wait for a cold start.
        provisionedConcurrency: 1,
        ...(properties.ReservedConcurrentExecutions !== undefined && {
          reservedConcurrency: Number(properties.ReservedConcurrentExecutions),
        }),
      });
      // What SAM adds for logs and event sources is the service's own doing here, and needs nobody's permission.
      permissions.defineFunction(
        record.name,
        ((properties.Policies ?? []) as unknown[]).flatMap((policy) => readPolicy(policy, logicalId)),
      );
      for (const [name, event] of Object.entries((properties.Events ?? {}) as Record<string, SamEvent>)) {
        await addEventSource(services, record, `${logicalId}${name}`, event);
      }
      return { ref: record.name, attributes: { Arn: record.arn } };
    },
    'AWS::Lambda::Permission': ({ logicalId }) => ({ ref: logicalId, attributes: {} }),
    'AWS::Serverless::LayerVersion': ({ properties }) => {
      const layer = lambda.publishLayer({
        name: String(properties.LayerName),
        content: layerContent(resolve(root, String(properties.ContentUri))),
        description: String(properties.Description ?? ''),
      });
      return { ref: layer.arn, attributes: {} };
    },
  };
}

/** What of an event source is carried out; anything else must not look as if it were. */
const eventProperties: Readonly<Record<string, readonly string[]>> = {
  SQS: ['Queue', 'BatchSize', 'MaximumBatchingWindowInSeconds', 'FunctionResponseTypes'],
  DynamoDB: [
    'Stream',
    'StartingPosition',
    'BatchSize',
    'MaximumRetryAttempts',
    'BisectBatchOnFunctionError',
    'FunctionResponseTypes',
    'DestinationConfig',
  ],
  Schedule: ['Schedule', 'RetryPolicy'],
  SNS: ['Topic'],
};

async function addEventSource(
  { lambda, events, sns }: FunctionServices,
  fn: FunctionRecord,
  name: string,
  { Type, Properties: properties }: SamEvent,
): Promise<void> {
  const reportBatchItemFailures = ((properties.FunctionResponseTypes ?? []) as string[]).includes(
    'ReportBatchItemFailures',
  );
  const optional = (key: string, target: string) =>
    properties[key] === undefined ? {} : { [target]: properties[key] };
  const unknown = Object.keys(properties).filter((key) => !eventProperties[Type]?.includes(key));
  if (eventProperties[Type] && unknown.length > 0) {
    throw new TemplateError(`${name}: the embedded AWS does not carry out ${unknown.join(', ')} of ${Type}.`);
  }
  switch (Type) {
    case 'SQS':
      lambda.createEventSourceMapping({
        functionName: fn.name,
        eventSourceArn: String(properties.Queue),
        reportBatchItemFailures,
        ...optional('BatchSize', 'batchSize'),
        ...optional('MaximumBatchingWindowInSeconds', 'maximumBatchingWindowSeconds'),
      });
      return;
    case 'DynamoDB': {
      const destination = properties.DestinationConfig as
        | { OnFailure?: { Destination?: string } }
        | undefined;
      lambda.createEventSourceMapping({
        functionName: fn.name,
        eventSourceArn: String(properties.Stream),
        reportBatchItemFailures,
        startingPosition: properties.StartingPosition === 'LATEST' ? 'LATEST' : 'TRIM_HORIZON',
        ...optional('BatchSize', 'batchSize'),
        ...optional('MaximumRetryAttempts', 'maximumRetryAttempts'),
        ...optional('BisectBatchOnFunctionError', 'bisectBatchOnFunctionError'),
        ...(destination?.OnFailure?.Destination !== undefined && {
          onFailureArn: destination.OnFailure.Destination,
        }),
      });
      return;
    }
    case 'Schedule':
      await call(events, 'PutRule', {
        Name: name,
        ScheduleExpression: properties.Schedule,
        State: 'ENABLED',
      });
      await call(events, 'PutTargets', {
        Rule: name,
        Targets: [{ Id: name, Arn: fn.arn, RetryPolicy: properties.RetryPolicy }],
      });
      return;
    case 'SNS':
      await call(sns, 'Subscribe', { TopicArn: properties.Topic, Protocol: 'lambda', Endpoint: fn.arn });
      return;
    default:
      throw new TemplateError(`${name}: the embedded AWS has no event source of type ${Type}.`);
  }
}
