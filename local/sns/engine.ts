import type { PublishCommandInput } from '@aws-sdk/client-sns';
import type { Deliverer, EngineContext, Service } from '../engine/service.ts';
import { Outbox } from '../events/outbox.ts';
import { publishOperations } from './publish.ts';
import { subscriptionOperations } from './subscriptionOperations.ts';
import { topicOperations } from './topicOperations.ts';
import { Topics } from './topics.ts';

/** SNS: the service, and publishing for other engines. */
export interface Sns {
  readonly service: Service;
  /** Publishes to a topic; the deliveries are stored when it returns. Throws NotFoundException. */
  publish(
    topicArn: string,
    message: string,
    options?: Pick<PublishCommandInput, 'Subject' | 'MessageAttributes'>,
  ): void;
  /** Deliveries that no subscriber has taken yet. */
  readonly pending: number;
  /** Begins to deliver; to be called when every subscriber is in place. */
  start(): void;
  stop(): void;
}

/** "100,000 attempts every 20 seconds" is the long tail of retries to AWS targets. */
const LONGEST_WAIT_MS = 20_000;

/** Standard topics with SQS and Lambda subscribers. Faults: `sns.deliver` with the subscription's ARN. */
export function createSns(context: EngineContext, { deliverer }: { readonly deliverer: Deliverer }): Sns {
  const topics = new Topics(context);
  const outbox = new Outbox(context, {
    name: 'sns.deliveries',
    deliverer,
    faultPoint: 'sns.deliver',
    longestWaitMs: LONGEST_WAIT_MS,
    describe: () => ({}),
  });
  const publishing = publishOperations(context, topics, outbox);
  return {
    service: {
      signingName: 'sns',
      operations: {
        ...topicOperations(context, topics),
        ...subscriptionOperations(context, topics),
        ...publishing,
      },
    },
    publish(topicArn, message, options = {}) {
      publishing.Publish({ TopicArn: topicArn, Message: message, ...options });
    },
    get pending() {
      return outbox.size;
    },
    start: () => outbox.start(),
    stop: () => outbox.stop(),
  };
}
