import type { SQSClient } from '@aws-sdk/client-sqs';
import * as sqsSdk from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDeadLetters } from '../../layers/aws/deadLetters.ts';
import type { DeadLetters } from '../../layers/ports/deadLetters.ts';
import { testContext } from '../../local/engine/testContext.ts';
import { type TestSqs, testSqs } from '../../local/sqs/testSqs.ts';
import { inProcessClient } from '../../local/wire/inProcessClient.ts';

/** What the port promises, held by the adapter over the embedded SQS. */

interface Pair {
  readonly dead: string;
  readonly source: string;
}

let sqs: TestSqs;
let client: Pick<SQSClient, 'send'>;
let launch: Pair;
let wake: Pair;
let letters: DeadLetters;

async function pair(name: string, suffix = ''): Promise<Pair> {
  const dead = await sqs.queue(`${name}-dead${suffix}`);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  const source = await sqs.queue(`${name}${suffix}`, { RedrivePolicy, VisibilityTimeout: '0' });
  return { dead: dead.url, source: source.url };
}

/** A message that is received once and not deleted dies with the next receive. */
async function giveUp({ source }: Pair, bodies: readonly string[], group?: string): Promise<void> {
  for (const [index, body] of bodies.entries()) {
    await sqs.send(source, body, {
      ...(group !== undefined && { MessageGroupId: group, MessageDeduplicationId: `${group}-${index}` }),
    });
    await sqs.receive(source);
    await sqs.receive(source);
  }
}

beforeEach(async () => {
  sqs = testSqs(testContext());
  launch = await pair('launch');
  wake = await pair('wake', '.fifo');
  const { url: publish } = await sqs.queue('publish-dead');
  client = inProcessClient<SQSClient>({ service: sqs.sqs.service, sdk: sqsSdk });
  letters = createDeadLetters({
    sqs: client,
    waitSeconds: 0,
    queues: {
      launch: { url: launch.dead, source: launch.source },
      wake: { url: wake.dead, source: wake.source },
      publish: { url: publish },
    },
  });
});

describe('the dead letters', () => {
  it('are counted and listed, and stay where they are', async () => {
    await giveUp(launch, ['one', 'two']);
    for (let time = 0; time < 2; time += 1) {
      expect(await letters.count('launch')).toEqual({ queue: 'launch', messages: 2, inFlight: 0 });
      const listed = await letters.list('launch', 10);
      expect(listed.map(({ body }) => body).toSorted()).toEqual(['one', 'two']);
      expect(await letters.find('launch', listed[0]?.messageId ?? '')).toEqual(listed[0]);
    }
    expect(await letters.find('launch', 'no-such-message')).toBeUndefined();
    expect((await letters.count('launch')).messages).toBe(2);
  });

  it('go back one by one, and the others stay', async () => {
    await giveUp(launch, ['one', 'two']);
    const [first] = await letters.list('launch', 10);
    expect(await letters.redriveOne('launch', first?.messageId ?? '')).toBe('redriven');
    expect(await letters.redriveOne('launch', first?.messageId ?? '')).toBe('unknown');
    expect((await letters.count('launch')).messages).toBe(1);
    expect((await sqs.receive(launch.source)).map(({ Body }) => Body)).toEqual([first?.body]);
  });

  it('come back once of a FIFO queue, in their group, however often a cut-off redrive is repeated', async () => {
    await giveUp(wake, ['{}'], 'demo');
    const [letter] = await letters.list('wake', 10);
    expect(letter?.group).toBe('demo');
    const cutOff = createDeadLetters({
      sqs: {
        send: async (command: { constructor: { name: string } }) => {
          if (command.constructor.name === 'DeleteMessageCommand') throw new Error('the process dies');
          return client.send(command as never) as never;
        },
      } as never,
      waitSeconds: 0,
      queues: { wake: { url: wake.dead, source: wake.source } },
    });
    await expect(cutOff.redriveOne('wake', letter?.messageId ?? '')).rejects.toThrow('dies');
    await sqs.context.clock.advance(31_000);
    expect(await letters.redriveOne('wake', letter?.messageId ?? '')).toBe('redriven');
    expect(await sqs.attributes(wake.source)).toMatchObject({ ApproximateNumberOfMessages: '1' });
    expect((await letters.count('wake')).messages).toBe(0);
  });

  it('go back all at once, also those that never were in the queue', async () => {
    await giveUp(launch, ['one']);
    await sqs.send(launch.dead, 'undelivered', {
      MessageAttributes: {
        ERROR_CODE: { DataType: 'String', StringValue: 'NO_PERMISSIONS' },
        ERROR_MESSAGE: { DataType: 'String', StringValue: 'not allowed' },
      },
    });
    const undelivered = (await letters.list('launch', 10)).find(({ body }) => body === 'undelivered');
    expect(undelivered?.undelivered).toBe('NO_PERMISSIONS: not allowed');
    expect(await letters.redriveAll('launch')).toBe('started');
    await sqs.context.clock.advance(2_000);
    expect((await letters.count('launch')).messages).toBe(0);
    expect(await sqs.attributes(launch.source)).toMatchObject({ ApproximateNumberOfMessages: '2' });
  });

  it('have no way back from a queue without a source', async () => {
    expect(await letters.redriveAll('publish')).toBe('no-way-back');
    expect(await letters.redriveOne('publish', 'm')).toBe('no-way-back');
  });
});
