import { expect, it } from 'vitest';
import { testContext } from './engine/testContext.ts';
import { queueMetrics } from './queueMetrics.ts';
import { createSqs } from './sqs/engine.ts';

it('measures every queue: how many messages, and how old the oldest is', async () => {
  const context = testContext();
  const sqs = createSqs(context, { baseUrl: 'http://127.0.0.1:4566' });
  await sqs.service.operations.CreateQueue?.({ QueueName: 'work' }, { requestId: 'create' });
  const arn = 'arn:aws:sqs:us-east-1:000000000000:work';
  const measured = () =>
    Object.fromEntries(
      queueMetrics(sqs)
        .measure(context.clock.now())
        .map(({ name, value }) => [name.replace('Approximate', ''), value]),
    );
  const empty = {
    NumberOfMessagesVisible: 0,
    NumberOfMessagesNotVisible: 0,
    NumberOfMessagesDelayed: 0,
    AgeOfOldestMessage: 0,
  };
  expect(measured()).toEqual(empty);
  sqs.send(arn, 'first');
  await context.clock.advance(90_000);
  sqs.send(arn, 'second');
  const [first] = sqs.receive(arn, { max: 1 });
  expect(measured()).toEqual({
    ...empty,
    NumberOfMessagesVisible: 1,
    NumberOfMessagesNotVisible: 1,
    AgeOfOldestMessage: 90,
  });
  sqs.delete(arn, first?.ReceiptHandle ?? '');
  expect(measured()).toMatchObject({ AgeOfOldestMessage: 0 });
});
