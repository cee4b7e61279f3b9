import { readFileSync } from 'node:fs';
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHandler as createAccept } from '../../functions/accept/handler.ts';
import { createHandler as createObserve } from '../../functions/observe/handler.ts';
import { createHandler as createScale } from '../../functions/scale/handler.ts';
import { taskIdOf } from '../../layers/control/taskId.ts';
import { fakeWorld } from '../../layers/control/testWorld.ts';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { lambdaContext } from '../support/lambdaContext.ts';
import { mutated } from '../support/mutatedSamples.ts';
import { aCluster } from '../support/records.ts';
import { requestEvent } from '../support/requestEvent.ts';
import { ofSchema } from '../support/schemaArbitrary.ts';

const EVENTS = Number(process.env.BERTH_FUZZ_EVENTS ?? 100_000);
const SEED = Number(process.env.BERTH_SEED ?? Date.now() % 1_000_000);
const BATCH = 9;
const SCHEMAS = [
  'ecs-task-state-change',
  'ecs-container-instance-state-change',
  'ec2-instance-state-change-notification',
  'ec2-spot-instance-interruption-warning',
  'ec2-instance-rebalance-recommendation',
  'cloudwatch-alarm-state-change',
  'sns-alarm',
];

const schemaOf = (name: string) =>
  ofSchema(JSON.parse(readFileSync(new URL(`../../docs/schemas/in/${name}.json`, import.meta.url), 'utf8')));

const events = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 6, arbitrary: schemaOf('task-requested') },
  ...SCHEMAS.map((name) => ({ weight: 1, arbitrary: schemaOf(name) })),
);
/** What a queue may carry: an event, any JSON, or no JSON at all. */
const bodies = fc.oneof(
  { weight: 20, arbitrary: events.map((event) => JSON.stringify(event) ?? 'null') },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
);

const goodRequest = (key: string): string =>
  requestEvent(
    { cluster: 'prod', taskDefinition: 'hello', idempotencyKey: key },
    { id: key, source: 'good' },
  );

function recordsOf(texts: readonly string[], batch: number): SQSEvent {
  const Records = texts.map((body, index) => ({
    messageId: `${batch}-${index}`,
    body,
    attributes: { ApproximateReceiveCount: '1' },
    eventSource: 'aws:sqs',
  }));
  return { Records: Records as unknown as SQSRecord[] };
}

async function world() {
  const store = createMemoryStore();
  await store.ensureCluster(aCluster());
  const fake = fakeWorld(store);
  const published: { readonly detailType: string; readonly detail: Record<string, unknown> }[] = [];
  const thrown: unknown[] = [];
  const counts = new Map<string, number>();
  const deps = {
    ...fake,
    bus: {
      ...fake.bus,
      publish: async (sent: readonly unknown[]) => void published.push(...(sent as never[])),
    },
    log: {
      ...fake.log,
      debug: () => {},
      with: () => {},
      begin: () => {},
      error: (_message: string, fields?: { readonly error?: unknown }) => {
        if (fields?.error !== undefined) thrown.push(fields.error);
      },
    },
    metrics: {
      count: (name: string, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
      sample: () => {},
      flush: () => {},
    },
    settings: { service: 'fuzz', logLevel: 'ERROR', clusters: [] } as never,
  };
  const handlers = {
    accept: createAccept(deps),
    observe: createObserve(deps),
    scale: createScale(deps),
  } as Record<string, (event: SQSEvent, context: ReturnType<typeof lambdaContext>) => Promise<unknown>>;
  return { store, published, thrown, counts, handlers };
}

describe(`events that nobody meant to send (BERTH_SEED=${SEED})`, () => {
  it(
    `are carried out or refused, ${EVENTS} of them, and stop nobody else's`,
    async () => {
      const { store, published, thrown, counts, handlers } = await world();
      const sampled = fc.sample(bodies, { seed: SEED, numRuns: EVENTS });
      for (let first = 0, batch = 0; first < sampled.length; first += BATCH, batch += 1) {
        const key = `good-${batch}`;
        const texts = [...sampled.slice(first, first + BATCH), goodRequest(key)];
        for (const [name, handler] of Object.entries(handlers)) {
          const response = (await handler(recordsOf(texts, batch), lambdaContext())) as SQSBatchResponse;
          const failed = response.batchItemFailures.map(
            ({ itemIdentifier }) => texts[Number(itemIdentifier.split('-')[1])],
          );
          expect(failed, `${name} would be given these again: ${String(thrown.at(-1))}`).toEqual([]);
        }
        const good = await store.getTask(taskIdOf('good', key, 0));
        expect(good?.state, `the good request of batch ${batch}`).toBe('PENDING');
      }
      expect(thrown).toEqual([]);
      const unspoken = published.filter(
        ({ detailType, detail }) =>
          detailType !== 'Task Rejected' ||
          !(detail.problems as readonly Record<string, string>[]).every(
            ({ field, rule, fix }) => field !== undefined && rule && fix,
          ),
      );
      expect(unspoken).toEqual([]);
      expect(counts.get('TasksRejected')).toBe(published.length);
      // A generator that makes nothing legal, or only legal requests, would show nothing.
      expect(counts.get('TasksAccepted')).toBeGreaterThan(EVENTS / BATCH);
      expect(published.length).toBeGreaterThan(EVENTS / 50);
    },
    EVENTS * 10,
  );
});
