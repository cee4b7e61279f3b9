import type {
  CreateQueueResult,
  GetQueueAttributesResult,
  Message,
  ReceiveMessageCommandInput,
  ReceiveMessageResult,
  SendMessageCommandInput,
  SendMessageResult,
} from '@aws-sdk/client-sqs';
import { invoke, type TestContext, testContext } from '../engine/testContext.ts';
import { createSqs, type Sqs } from './engine.ts';

/** Short names for what SQS tests do all the time, over the same operations the wire calls. */
export interface TestSqs {
  readonly context: TestContext;
  readonly sqs: Sqs;
  call<Output>(operation: string, input: unknown): Promise<Output>;
  /** Creates a queue and returns its ARN and URL. */
  queue(
    name: string,
    attributes?: Record<string, string>,
  ): Promise<{ readonly arn: string; readonly url: string }>;
  send(url: string, body: string, more?: Partial<SendMessageCommandInput>): Promise<SendMessageResult>;
  receive(url: string, more?: Partial<ReceiveMessageCommandInput>): Promise<Message[]>;
  attributes(url: string): Promise<Record<string, string>>;
}

export const BASE_URL = 'http://127.0.0.1:4566';

export function testSqs(over: Partial<TestContext> = {}): TestSqs {
  const context = testContext(over);
  const sqs = createSqs(context, { baseUrl: BASE_URL });
  const call = <Output>(operation: string, input: unknown): Promise<Output> =>
    invoke<Output>(sqs.service, operation, input);
  return {
    context,
    sqs,
    call,
    async queue(name, Attributes = {}) {
      const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
      const { QueueUrl: url = '' } = await call<CreateQueueResult>('CreateQueue', {
        QueueName: name,
        Attributes: { ...fifo, ...Attributes },
      });
      return { arn: `arn:aws:sqs:${context.region}:${context.accountId}:${name}`, url };
    },
    send: (QueueUrl, MessageBody, more = {}) => call('SendMessage', { QueueUrl, MessageBody, ...more }),
    async receive(QueueUrl, more = {}) {
      const { Messages = [] } = await call<ReceiveMessageResult>('ReceiveMessage', { QueueUrl, ...more });
      return Messages;
    },
    async attributes(QueueUrl) {
      const { Attributes = {} } = await call<GetQueueAttributesResult>('GetQueueAttributes', {
        QueueUrl,
        AttributeNames: ['All'],
      });
      return Attributes as Record<string, string>;
    },
  };
}
