import type {
  GetSubscriptionAttributesCommandInput,
  GetSubscriptionAttributesResponse,
  ListSubscriptionsByTopicCommandInput,
  ListSubscriptionsByTopicResponse,
  ListSubscriptionsCommandInput,
  ListSubscriptionsResponse,
  SetSubscriptionAttributesCommandInput,
  SubscribeCommandInput,
  SubscribeResponse,
  UnsubscribeCommandInput,
} from '@aws-sdk/client-sns';
import type { EngineContext } from '../engine/service.ts';
import { uuidOf } from '../engine/uuid.ts';
import { invalidParameter } from './errors.ts';
import { pageOf } from './page.ts';
import { deadLetterOf } from './publish.ts';
import type { StoredSubscription } from './records.ts';
import type { Topics } from './topics.ts';

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  RawMessageDelivery: ['true', 'false'],
  FilterPolicyScope: ['MessageAttributes', 'MessageBody'],
};
const SETTABLE = new Set(['RawMessageDelivery', 'FilterPolicy', 'FilterPolicyScope', 'RedrivePolicy']);

function checkAttribute(name: string, value: string): void {
  if (!SETTABLE.has(name)) throw invalidParameter(`AttributeName Reason: Invalid attribute name: ${name}`);
  if (CHOICES[name]?.includes(value) === false) {
    throw invalidParameter(`Attributes Reason: ${name}: Invalid value [${value}]`);
  }
  if (name === 'RedrivePolicy') deadLetterOf(value);
}

/** The operations on subscriptions of SQS queues and Lambda functions, which need no confirmation in the same account. */
export function subscriptionOperations({ accountId, hex }: EngineContext, topics: Topics) {
  const show = ({ arn, topicArn, protocol, endpoint }: StoredSubscription) => ({
    SubscriptionArn: arn,
    Owner: accountId,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn,
  });

  return {
    Subscribe({
      TopicArn,
      Protocol,
      Endpoint = '',
      Attributes = {},
    }: SubscribeCommandInput): SubscribeResponse {
      const topic = topics.get(TopicArn);
      if (Protocol !== 'sqs' && Protocol !== 'lambda') {
        throw invalidParameter(
          `Protocol Reason: ${String(Protocol)} is not supported here; sqs and lambda are`,
        );
      }
      if (!Endpoint.startsWith(`arn:aws:${Protocol}:`)) {
        throw invalidParameter(`Endpoint Reason: it is not the ARN of an ${Protocol} endpoint`);
      }
      if (Protocol === 'sqs' && Endpoint.endsWith('.fifo')) {
        throw invalidParameter(
          'Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics',
        );
      }
      for (const [name, value] of Object.entries(Attributes)) checkAttribute(name, value);
      for (const { stored } of topics.of(topic.arn)) {
        if (stored.protocol !== Protocol || stored.endpoint !== Endpoint) continue;
        if (Object.entries(Attributes).some(([name, value]) => stored.attributes[name] !== value)) {
          throw invalidParameter('Attributes Reason: Subscription already exists with different attributes');
        }
        return { SubscriptionArn: stored.arn };
      }
      const arn = `${topic.arn}:${uuidOf(hex(32))}`;
      topics.putSubscription({
        arn,
        topicArn: topic.arn,
        protocol: Protocol,
        endpoint: Endpoint,
        attributes: Attributes,
      });
      return { SubscriptionArn: arn };
    },

    Unsubscribe({ SubscriptionArn }: UnsubscribeCommandInput): void {
      topics.removeSubscription(topics.subscription(SubscriptionArn));
    },

    ListSubscriptions({ NextToken }: ListSubscriptionsCommandInput): ListSubscriptionsResponse {
      const { page, nextToken } = pageOf(topics.allSubscriptions(), ({ arn }) => arn, NextToken);
      return { Subscriptions: page.map(show), NextToken: nextToken };
    },

    ListSubscriptionsByTopic(input: ListSubscriptionsByTopicCommandInput): ListSubscriptionsByTopicResponse {
      const { arn } = topics.get(input.TopicArn);
      const subscriptions = [...topics.of(arn)].map(({ stored }) => stored);
      const { page, nextToken } = pageOf(subscriptions, (subscription) => subscription.arn, input.NextToken);
      return { Subscriptions: page.map(show), NextToken: nextToken };
    },

    GetSubscriptionAttributes(
      input: GetSubscriptionAttributesCommandInput,
    ): GetSubscriptionAttributesResponse {
      const subscription = topics.subscription(input.SubscriptionArn);
      return {
        Attributes: {
          RawMessageDelivery: 'false',
          ...subscription.attributes,
          ...show(subscription),
          PendingConfirmation: 'false',
          ConfirmationWasAuthenticated: 'true',
        },
      };
    },

    SetSubscriptionAttributes(input: SetSubscriptionAttributesCommandInput): void {
      const subscription = topics.subscription(input.SubscriptionArn);
      const { AttributeName = '', AttributeValue = '' } = input;
      checkAttribute(AttributeName, AttributeValue);
      topics.putSubscription({
        ...subscription,
        attributes: { ...subscription.attributes, [AttributeName]: AttributeValue },
      });
    },
  };
}
