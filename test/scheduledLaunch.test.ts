import { readFileSync } from 'node:fs';
import type { Context, SQSEvent } from 'aws-lambda';
import { expect, it } from 'vitest';
import { createHandler } from '../functions/accept/handler.ts';
import { fakeWorld } from '../layers/control/testWorld.ts';
import { invoke, testContext } from '../local/engine/testContext.ts';
import { broken, testDeliverer } from '../local/events/testDeliverer.ts';
import { createScheduler } from '../local/scheduler/engine.ts';
import { createMemoryStore } from '../local/sim/memoryStore.ts';
import { aCluster } from './support/records.ts';

const example = JSON.parse(
  readFileSync(new URL('../docs/examples/scheduled-launch.json', import.meta.url), 'utf8'),
);
const HOUR_MS = 3_600_000;

it('launches once for each scheduled time, whatever is repeated, refused or late', async () => {
  const context = testContext();
  const deliverer = testDeliverer();
  const scheduler = createScheduler(context, { deliverer });
  scheduler.start();
  await invoke(scheduler.service, 'CreateSchedule', example);
  // The queue refuses through the second night's time, and takes it an hour later.
  await context.clock.advance(25 * HOUR_MS);
  deliverer.refusals.set(example.Target.Arn, broken);
  await context.clock.advance(HOUR_MS);
  deliverer.refusals.clear();
  await context.clock.advance(46 * HOUR_MS);
  const times = ['01', '02', '03'].map((day) => `2026-01-${day}T01:30:00Z`);

  const store = createMemoryStore();
  await store.ensureCluster(aCluster());
  const world = fakeWorld(store);
  const accept = createHandler({
    ...world,
    log: { ...world.log, debug: () => {}, with: () => {}, begin: () => {} },
    metrics: { ...world.metrics, flush: () => {} },
    settings: { service: 'accept', logLevel: 'INFO' },
  });
  const bodies = deliverer.taken.map(({ body }) => body);
  // Scheduler and SQS both deliver at least once, and in no order.
  const Records = [...bodies, ...bodies.toReversed()].map((body, n) => ({ messageId: `m${n}`, body }));
  const event = { Records } as unknown as SQSEvent;
  const remaining = { getRemainingTimeInMillis: () => 30_000 } as Context;
  expect(await accept(event, remaining)).toEqual({ batchItemFailures: [] });
  const tasks = [...store.tables.tasks.values()];
  expect(tasks.map(({ idempotencyKey }) => idempotencyKey).sort()).toEqual(
    times.map((time) => `nightly-report/${time}`),
  );
});
