import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as scheduler from '@aws-sdk/client-scheduler';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import * as sts from '@aws-sdk/client-sts';
import { SmithyRpcV2CborProtocol } from '@smithy/core/cbor';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServiceError } from '../engine/service.ts';
import { convert } from './convert.ts';
import { copyOutput } from './copyCodec.ts';
import { modelOf, type OperationModel, type SdkModule } from './model.ts';
import { startWire, type Wire } from './server.ts';
import { valuesOf } from './shapeArbitrary.ts';

/** Operations whose SDK middleware changes the request (pre-signing, event streams, multi-Region signing). */
const SPECIAL = new Set([
  'CopySnapshot',
  'CopyDBSnapshot',
  'InvokeWithResponseStream',
  'InvokeAsync',
  'PutEvents',
]);

interface Subject {
  readonly sdk: SdkModule;
  /** XML answers and form requests, which hold less than JSON. */
  readonly xml: boolean;
  /** The protocol the client speaks, where it is not its SDK's own. */
  readonly protocol?: unknown;
  /** Operations left to a test of their own. */
  readonly except?: readonly string[];
}

/** AwsQueryProtocol: the class is not exported where this project may import it from, and an STS client has one. */
const QueryProtocol = new sts.STSClient({ region: 'us-east-1' }).config.protocol.constructor;

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'ECS (JSON 1.1)': { sdk: ecs, xml: false },
  'EventBridge (JSON 1.1)': { sdk: eventbridge, xml: false },
  'SQS (JSON 1.0)': { sdk: sqs, xml: false },
  'CloudWatch (JSON 1.0)': { sdk: cloudwatch, xml: false },
  'Lambda (REST-JSON)': { sdk: lambda, xml: false },
  'Scheduler (REST-JSON)': { sdk: scheduler, xml: false },
  'SNS (query)': { sdk: sns, xml: true },
  'STS (query)': { sdk: sts, xml: true },
  'EC2 (EC2 query)': { sdk: ec2, xml: true },
  'SQS by an older client (query)': {
    sdk: sqs,
    xml: true,
    protocol: QueryProtocol,
    except: ['ReceiveMessage'],
  },
  'CloudWatch by an older client (query)': { sdk: cloudwatch, xml: true, protocol: QueryProtocol },
  'CloudWatch by a newer client (CBOR)': { sdk: cloudwatch, xml: false, protocol: SmithyRpcV2CborProtocol },
};

interface Exchange {
  input?: unknown;
  output: unknown;
  error?: Error | undefined;
}

/** What the one fake operation behind every name is asked and answers. */
const exchange: Exchange = { output: {} };
let wire: Wire;

const logged: string[] = [];

beforeAll(async () => {
  wire = await startWire({
    port: 0,
    log: (line) => logged.push(line),
    services: [...new Set(Object.values(SUBJECTS).map(({ sdk }) => sdk))].map((sdk) => {
      const model = modelOf(sdk);
      const answer = (input: unknown): unknown => {
        exchange.input = input;
        if (exchange.error !== undefined) throw exchange.error;
        return exchange.output;
      };
      const operations = Object.fromEntries([...model.operations.keys()].map((name) => [name, answer]));
      return { sdk, service: { signingName: model.signingName, operations } };
    }),
  });
});

afterAll(() => wire.close());

interface AnyClient {
  send(command: unknown): Promise<Record<string, unknown>>;
  destroy(): void;
}

function clientOf(sdk: SdkModule, protocol?: unknown): AnyClient {
  const name = Object.keys(sdk).find((key) => /^[A-Z].*Client$/.test(key)) ?? '';
  const Client = sdk[name] as new (config: object) => AnyClient;
  return new Client({
    endpoint: wire.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
    disableHostPrefix: true,
    maxAttempts: 1,
    md5: false,
    useQueueUrlAsEndpoint: false,
    ...(protocol === undefined ? {} : { protocol }),
  });
}

function commandOf(sdk: SdkModule, name: string, input: unknown): unknown {
  const Command = sdk[`${name}Command`] as new (input: unknown) => unknown;
  return new Command(input);
}

/** Without what the client adds by itself: idempotency tokens. */
function withoutTokens(input: unknown, sent: object): unknown {
  const received = { ...(input as Record<string, unknown>) };
  for (const key of Object.keys(received)) {
    if (/token$/i.test(key) && !Object.hasOwn(sent, key)) delete received[key];
  }
  return received;
}

describe.each(Object.entries(SUBJECTS))('%s', (_, { sdk, xml, protocol, except = [] }) => {
  test('carries any input and output of any operation of the real client unchanged', async () => {
    const client = clientOf(sdk, protocol);
    const limits = { nonEmpty: xml, xmlText: xml };
    const { operations } = modelOf(sdk);
    const names = [...operations.keys()].filter((name) => !SPECIAL.has(name) && !except.includes(name));
    const exchanges = fc.constantFrom(...names).chain((name) => {
      const operation = operationNamed(sdk, name);
      return fc.record({
        name: fc.constant(name),
        input: valuesOf(operation.input, limits) as fc.Arbitrary<object>,
        output: valuesOf(operation.output, limits) as fc.Arbitrary<object>,
      });
    });
    await fc.assert(
      fc.asyncProperty(exchanges, async ({ name, input, output }) => {
        exchange.output = output;
        const { $metadata, ...received } = await client.send(commandOf(sdk, name, input));
        expect(withoutTokens(exchange.input, input)).toEqual(input);
        // Payloads come as a subclass of Uint8Array.
        expect(convert(operationNamed(sdk, name).output, received, copyOutput)).toEqual(output);
      }),
      { numRuns: 40 },
    );
    client.destroy();
  });

  test('carries every error of the service as the exception of its own class', async () => {
    const client = clientOf(sdk, protocol);
    const name = nameOfFreeOperation(sdk);
    for (const [code, shape] of modelOf(sdk).errors) {
      if (shape.error === undefined) continue;
      // Clients know an error by its query code, and a few codes are the names of other errors.
      if (modelOf(sdk).errors.get(shape.error.queryCode ?? code) !== shape) continue;
      exchange.error = new ServiceError(code, `what went <wrong> with ${code} & why`);
      const thrown = await client.send(commandOf(sdk, name, {})).catch((error: unknown) => error);
      expect(thrown).toBeInstanceOf(sdk[shape.name]);
      expect(thrown).toMatchObject({
        name: shape.name,
        message: `what went <wrong> with ${code} & why`,
        $fault: shape.error.fault,
      });
    }
    exchange.error = new ServiceError('Not.Modelled', 'an error of no schema', 503);
    const thrown = await client.send(commandOf(sdk, name, {})).catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      name: 'Not.Modelled',
      message: 'an error of no schema',
      $fault: 'server',
      $metadata: { httpStatusCode: 503, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    exchange.error = undefined;
    client.destroy();
  });

  test('answers an engine failure with an internal error and tells the log', async () => {
    const client = clientOf(sdk, protocol);
    const name = nameOfFreeOperation(sdk);
    exchange.error = new Error('secret detail');
    const thrown = await client.send(commandOf(sdk, name, {})).catch((error: unknown) => error);
    exchange.error = undefined;
    expect(thrown).toMatchObject({ name: 'InternalFailure', $metadata: { httpStatusCode: 500 } });
    expect(String(thrown)).not.toContain('secret');
    expect(logged.at(-1)).toContain('secret detail');
    client.destroy();
  });
});

function operationNamed(sdk: SdkModule, name: string): OperationModel {
  const operation = modelOf(sdk).operations.get(name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return operation;
}

/** An operation that can be called with nothing: the client itself refuses empty labels, and the wire what is required. */
function nameOfFreeOperation(sdk: SdkModule): string {
  for (const { name, input } of modelOf(sdk).operations.values()) {
    if (input.kind === 'structure' && !input.members.some(({ required }) => required)) return name;
  }
  throw new Error('every operation has required members');
}
