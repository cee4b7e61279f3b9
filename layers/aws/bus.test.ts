import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { SQSClient } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Answer, scriptedClient } from '../../test/support/scriptedClient.ts';
import type { OutgoingEvent } from '../ports/bus.ts';
import { createBus } from './bus.ts';
import { batchesOf, EventsNotTaken } from './eventBatches.ts';

type Put = { readonly Entries: readonly PutEventsRequestEntry[] };
const taken = ({ Entries }: Put) => ({ Entries: Entries.map((_, index) => ({ EventId: `e${index}` })) });
const refused = ({ Entries }: Put) => ({
  Entries: Entries.map(() => ({ ErrorCode: 'InternalFailure', ErrorMessage: 'try again' })),
});

function busWith(...answers: Answer[]) {
  let now = 1_000_000;
  let ids = 0;
  const events = scriptedClient<EventBridgeClient>({ PutEvents: answers.length > 0 ? answers : [taken] });
  const sqs = scriptedClient<SQSClient>({ SendMessage: [{ MessageId: 'm' }] });
  const bus = createBus({
    events: events.client,
    sqs: sqs.client,
    busName: 'berth',
    wakeQueueUrl: 'wake.fifo',
    provisionQueueUrl: 'provision.fifo',
    lateWakeQueueUrl: 'late',
    clock: { now: () => now },
    ids: { next: () => `id${++ids}` },
    sleep: async () => {},
  });
  const advance = (ms: number): void => {
    now += ms;
  };
  return { bus, advance, puts: () => events.inputs('PutEvents'), sent: () => sqs.inputs('SendMessage') };
}

const event = (n: number): OutgoingEvent => ({ detailType: 'Task Accepted', detail: { n }, resources: [] });
const events = (count: number): OutgoingEvent[] => Array.from({ length: count }, (_, n) => event(n));

describe('publishing', () => {
  it('puts ten at a time, as berth, on the bus', async () => {
    const { bus, puts } = busWith();
    await bus.publish(events(25));
    expect(puts().map(({ Entries }) => (Entries as unknown[]).length)).toEqual([10, 10, 5]);
    const entries = puts().flatMap(({ Entries }) => Entries as unknown[]);
    expect(entries[3]).toEqual({
      Source: 'berth',
      DetailType: 'Task Accepted',
      Detail: '{"n":3}',
      Resources: [],
      EventBusName: 'berth',
      Time: new Date(1_000_000),
    });
  });

  it('repeats the entries that were not taken, and only those', async () => {
    const second = ({ Entries }: Put) => ({
      Entries: Entries.map((_, index) =>
        index === 1 ? { ErrorCode: 'ThrottlingException' } : { EventId: 'e' },
      ),
    });
    const { bus, puts } = busWith(second, taken);
    await bus.publish(events(3));
    expect(
      puts().map(({ Entries }) => (Entries as { Detail: string }[]).map(({ Detail }) => Detail)),
    ).toEqual([['{"n":0}', '{"n":1}', '{"n":2}'], ['{"n":1}']]);
  });

  it('throws and names what EventBridge keeps refusing', async () => {
    const { bus, puts } = busWith(refused);
    await expect(bus.publish(events(2))).rejects.toThrow(EventsNotTaken);
    await expect(bus.publish(events(1))).rejects.toThrow('Task Accepted (InternalFailure: try again)');
    expect(puts()).toHaveLength(8);
  });

  it('batches within ten entries and 256 KiB, in order, leaving none out', () => {
    const entry = fc
      .nat(120_000)
      .map(
        (length): PutEventsRequestEntry => ({ Source: 'berth', DetailType: 'x', Detail: 'x'.repeat(length) }),
      );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const batches = batchesOf(entries);
        expect(batches.flat()).toEqual(entries);
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(10);
          const bytes = batch.reduce((sum, each) => sum + (each.Detail?.length ?? 0) + 20, 0);
          expect(batch.length === 1 || bytes <= 256 * 1024).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('waking', () => {
  it('sends each wake with an id of its own: none is taken for a repeat of another', async () => {
    const { bus, sent } = busWith();
    await bus.wake('demo', 'a task came', { taskIds: ['t1'] });
    await bus.wake('demo', 'a task came', { taskIds: ['t1'] });
    expect(sent()).toEqual([
      {
        QueueUrl: 'wake.fifo',
        MessageBody: '{"cluster":"demo","reason":"a task came","taskIds":["t1"]}',
        MessageGroupId: 'demo',
        MessageDeduplicationId: 'id1',
      },
      expect.objectContaining({ MessageDeduplicationId: 'id2' }),
    ]);
  });

  it('sends a delayed one to the standard queue, rounded up, at most a quarter of an hour ahead', async () => {
    const { bus, sent, advance } = busWith();
    await bus.wake('demo', 'soon', { delayMs: 1 });
    advance(2_000);
    await bus.wake('demo', 'late', { delayMs: 86_400_000 });
    expect(sent()).toMatchObject([
      { QueueUrl: 'late', DelaySeconds: 1 },
      { QueueUrl: 'late', DelaySeconds: 900 },
    ]);
    expect(sent()[0]).not.toHaveProperty('MessageGroupId');
  });

  it('does not start a second chain of delayed wakes, but never drops an earlier one, ids or another cluster', async () => {
    const { bus, sent } = busWith();
    const delays = (): unknown[] => sent().map(({ DelaySeconds }) => DelaySeconds);
    await bus.wake('demo', 'idle host', { delayMs: 60_000 });
    await bus.wake('demo', 'idle host', { delayMs: 60_000 });
    await bus.wake('demo', 'idle host', { delayMs: 90_000 });
    expect(delays()).toEqual([60]);
    await bus.wake('demo', 'back-off', { delayMs: 5_000 });
    await bus.wake('demo', 'launch', { delayMs: 10_000, taskIds: ['t1'] });
    await bus.wake('other', 'idle host', { delayMs: 60_000 });
    expect(delays()).toEqual([60, 5, 10, 60]);
  });

  it('lets one that sees all hosts stand for one that need not, and not the other way round', async () => {
    const { bus, sent } = busWith();
    await bus.wake('demo', 'back-off', { delayMs: 5_000, changedHosts: [] });
    await bus.wake('demo', 'back-off', { delayMs: 6_000, changedHosts: [] });
    await bus.wake('demo', 'idle host', { delayMs: 30_000 });
    await bus.wake('demo', 'back-off', { delayMs: 40_000, changedHosts: [] });
    await bus.wake('demo', 'room', { delayMs: 40_000, changedHosts: ['i-1'] });
    expect(sent().map(({ DelaySeconds }) => DelaySeconds)).toEqual([5, 30, 40]);
  });

  it('sends another once the one it knows of is due', async () => {
    const { bus, sent, advance } = busWith();
    await bus.wake('demo', 'idle host', { delayMs: 5_000 });
    advance(5_000);
    await bus.wake('demo', 'idle host', { delayMs: 5_000 });
    expect(sent()).toHaveLength(2);
  });

  it('asks for capacity in the cluster’s group', async () => {
    const { bus, sent } = busWith();
    await bus.provision('demo', 'no room', { taskIds: ['t1'] });
    expect(sent()).toMatchObject([
      { QueueUrl: 'provision.fifo', MessageGroupId: 'demo', MessageDeduplicationId: 'id1' },
    ]);
  });
});
