import type { SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedTelemetry } from '../../test/support/recordedTelemetry.ts';
import { RefusedInput } from './refusedInput.ts';
import { processBatch } from './sqsBatch.ts';

const record = (messageId: string, body: string, group?: string): SQSRecord => ({
  messageId,
  body,
  receiptHandle: 'handle',
  attributes: {
    ApproximateReceiveCount: '1',
    SentTimestamp: '1700000000000',
    SenderId: 'AIDAEXAMPLE',
    ApproximateFirstReceiveTimestamp: '1700000000001',
    ...(group === undefined ? {} : { MessageGroupId: group }),
  },
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:berth',
  awsRegion: 'us-east-1',
});

const failuresOf = ({
  batchItemFailures,
}: {
  readonly batchItemFailures: readonly { itemIdentifier: string }[];
}) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

/** Handles a body by its own word. */
async function obey(body: unknown): Promise<void> {
  if (body === 'fail') throw new Error('the table is away');
  if (body === 'refuse') throw new RefusedInput([{ field: 'a', rule: 'a must be b.', fix: 'Write b.' }]);
}

describe('a batch', () => {
  it('gives back what failed and nothing else', async () => {
    const telemetry = recordedTelemetry();
    const Records = [
      record('1', '"fine"'),
      record('2', '"fail"'),
      record('3', '"refuse"'),
      record('4', '{no json'),
      record('5', '"fine"'),
    ];
    expect(failuresOf(await processBatch(telemetry, { Records }, obey))).toEqual(['2']);
    expect(
      ['FailedMessages', 'RefusedInputs', 'MalformedMessages'].map((name) => telemetry.total(name)),
    ).toEqual([1, 1, 1]);
    expect(telemetry.lines.find(({ message }) => message === 'A message is not JSON')?.fields).toMatchObject({
      messageId: '4',
      body: '{no json',
    });
  });

  it('does not begin what it has no time for', async () => {
    const handled: unknown[] = [];
    const left = [10_000, 10_000, 1_000, 1_000];
    const Records = ['1', '2', '3', '4'].map((id) => record(id, JSON.stringify(id)));
    const response = await processBatch(
      recordedTelemetry(),
      { Records },
      async (body) => {
        handled.push(body);
      },
      { remainingMs: () => left.shift() ?? 0 },
    );
    expect(handled).toEqual(['1', '2']);
    expect(failuresOf(response)).toEqual(['3', '4']);
  });

  it('gives back, once each, what failed at the end of the batch beside what failed on the way', async () => {
    const telemetry = recordedTelemetry();
    const Records = ['"fine"', '"fail"', '"fine"'].map((body, index) => record(`${index}`, body));
    const finish = async () =>
      new Map([
        ['1', new Error('its part failed, too')],
        ['2', new Error('the host is busy')],
      ]);
    expect(failuresOf(await processBatch(telemetry, { Records }, obey, { finish }))).toEqual(['1', '2']);
    expect(telemetry.total('FailedMessages')).toBe(2);
  });

  it('keeps the order of each group: everything behind a failure comes again, other groups go on', async () => {
    const message = fc.record({ group: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 12 }), async (messages) => {
        const handled: string[] = [];
        const Records = messages.map(({ group, fails }, index) =>
          record(`${index}`, JSON.stringify({ index, fails }), group),
        );
        const response = await processBatch(recordedTelemetry(), { Records }, async (body) => {
          const { index, fails } = body as { readonly index: number; readonly fails: boolean };
          handled.push(`${index}`);
          if (fails) throw new Error('no');
        });
        const failed = new Set(failuresOf(response));
        for (const group of ['a', 'b', 'c']) {
          const ids = messages.flatMap((each, index) => (each.group === group ? [`${index}`] : []));
          const first = ids.findIndex((id) => messages[Number(id)]?.fails);
          const done = first < 0 ? ids : ids.slice(0, first);
          expect(ids.filter((id) => !failed.has(id))).toEqual(done);
          expect(ids.filter((id) => handled.includes(id))).toEqual(first < 0 ? ids : ids.slice(0, first + 1));
        }
      }),
    );
  });
});
