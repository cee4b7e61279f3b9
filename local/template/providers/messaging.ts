import type { Service } from '../../engine/service.ts';
import type { Provider } from '../resolve.ts';
import { call, makeOrFind } from './call.ts';

export interface MessagingServices {
  readonly sqs: Service;
  readonly events: Service;
  readonly sns: Service;
}

const QUEUE_ATTRIBUTES = [
  'VisibilityTimeout',
  'MessageRetentionPeriod',
  'DelaySeconds',
  'MaximumMessageSize',
  'ReceiveMessageWaitTimeSeconds',
  'FifoQueue',
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'SqsManagedSseEnabled',
];

/** SQS takes every attribute as text, and the redrive policy as JSON. */
function queueAttributes(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of QUEUE_ATTRIBUTES) {
    if (properties[name] !== undefined) attributes[name] = String(properties[name]);
  }
  if (properties.RedrivePolicy !== undefined)
    attributes.RedrivePolicy = JSON.stringify(properties.RedrivePolicy);
  return attributes;
}

/** Queues, buses, rules and topics. Queue policies are read and not enforced: whom they let in are AWS's own services. */
export function messagingProviders(
  { sqs, events, sns }: MessagingServices,
  place: { readonly region: string; readonly accountId: string },
): Record<string, Provider> {
  return {
    'AWS::SQS::Queue': async ({ logicalId, properties }) => {
      const fifo = properties.FifoQueue === true;
      const name = String(properties.QueueName ?? `berth-${logicalId}${fifo ? '.fifo' : ''}`);
      const attributes = queueAttributes(properties);
      const { QueueUrl } = await makeOrFind<{ QueueUrl: string }>(
        () => call(sqs, 'CreateQueue', { QueueName: name, Attributes: attributes }),
        ['QueueNameExists', 'QueueAlreadyExists'],
        () => call(sqs, 'GetQueueUrl', { QueueName: name }),
      );
      const { FifoQueue: _, ...changeable } = attributes;
      await call(sqs, 'SetQueueAttributes', { QueueUrl, Attributes: changeable });
      return {
        ref: QueueUrl,
        attributes: {
          Arn: `arn:aws:sqs:${place.region}:${place.accountId}:${name}`,
          QueueName: name,
          QueueUrl,
        },
      };
    },
    'AWS::SQS::QueuePolicy': ({ logicalId }) => ({ ref: logicalId, attributes: {} }),

    'AWS::Events::EventBus': async ({ properties }) => {
      const name = String(properties.Name);
      const { EventBusArn } = await makeOrFind<{ EventBusArn: string }>(
        () => call(events, 'CreateEventBus', { Name: name }),
        ['ResourceAlreadyExistsException'],
        () => ({ EventBusArn: `arn:aws:events:${place.region}:${place.accountId}:event-bus/${name}` }),
      );
      return { ref: name, attributes: { Arn: EventBusArn, Name: name } };
    },
    'AWS::Events::Rule': async ({ logicalId, properties }) => {
      const Name = String(properties.Name ?? `berth-${logicalId}`);
      const EventBusName = properties.EventBusName;
      const { RuleArn } = await call<{ RuleArn: string }>(events, 'PutRule', {
        Name,
        EventBusName,
        State: properties.State ?? 'ENABLED',
        ...(properties.EventPattern !== undefined && {
          EventPattern: JSON.stringify(properties.EventPattern),
        }),
        ...(properties.ScheduleExpression !== undefined && {
          ScheduleExpression: properties.ScheduleExpression,
        }),
      });
      await call(events, 'PutTargets', { Rule: Name, EventBusName, Targets: properties.Targets ?? [] });
      return { ref: Name, attributes: { Arn: RuleArn } };
    },

    'AWS::SNS::Topic': async ({ logicalId, properties }) => {
      const Name = String(properties.TopicName ?? `berth-${logicalId}`);
      const { TopicArn } = await call<{ TopicArn: string }>(sns, 'CreateTopic', { Name });
      return { ref: TopicArn, attributes: { TopicArn, TopicName: Name } };
    },
  };
}
