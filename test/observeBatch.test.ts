import { readFileSync } from 'node:fs';
import type { SQSEvent } from 'aws-lambda';
import { expect, it } from 'vitest';
import { createHandler } from '../functions/observe/handler.ts';
import { schedulePass } from '../layers/control/schedulePass.ts';
import { fakeWorld } from '../layers/control/testWorld.ts';
import { StoreUnavailable } from '../layers/ports/store.ts';
import { createMemoryStore } from '../local/sim/memoryStore.ts';
import { lambdaContext } from './support/lambdaContext.ts';
import { recordedTelemetry } from './support/recordedTelemetry.ts';
import { aCluster, aHost, aTask } from './support/records.ts';

const sample = readFileSync(
  new URL('../events/aws.ecs/ecs-task-state-change.succeeded.json', import.meta.url),
  'utf8',
);

function endOf(taskId: string): string {
  const event = JSON.parse(sample) as { detail: Record<string, unknown> };
  const clusterArn = 'arn:aws:ecs:us-east-1:123456789012:cluster/prod';
  return JSON.stringify({ ...event, detail: { ...event.detail, clusterArn, startedBy: `${taskId}:1` } });
}

const batchOf = (bodies: readonly string[]): SQSEvent => ({
  Records: bodies.map((body, index) => ({ messageId: `m${index}`, body, attributes: {} })) as never,
});

/** Three tasks of a cluster, placed on one host; `writes` are its releases, the first of which may fail. */
async function threePlaced({ failsFirst = false } = {}) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  const cluster = aCluster();
  await store.ensureCluster(cluster);
  const host = aHost({ cluster: 'prod' });
  await store.addHost(host);
  const ids = ['t1', 't2', 't3'];
  for (const taskId of ids) await store.acceptTask(aTask({ taskId }));
  await schedulePass(world, 'prod', ids);
  world.woken.length = 0;
  const writes: (readonly string[])[] = [];
  const { releaseClaims } = store;
  store.releaseClaims = async (clusterName, hostId, ends, nowMs) => {
    writes.push(ends.map(({ taskId }) => taskId));
    if (failsFirst && writes.length === 1) throw new StoreUnavailable('timed out');
    return releaseClaims(clusterName, hostId, ends, nowMs);
  };
  const handle = (bodies: readonly string[]) =>
    createHandler({ ...world, ...recordedTelemetry() })(batchOf(bodies), lambdaContext()).then(
      ({ batchItemFailures }) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    );
  const claims = async () => Object.keys((await store.getHost('prod', host.hostId))?.claims ?? {});
  return { store, world, writes, handle, claims };
}

it('gives the room of all that ended in a batch back in one write, whatever else is in it, and wakes once', async () => {
  const { handle, writes, claims, world } = await threePlaced();
  expect(await handle([endOf('t1'), '{"poison":', endOf('t2'), endOf('t1'), '{}', endOf('t3')])).toEqual([]);
  expect(writes).toEqual([['t1', 't2', 't1', 't3']]);
  expect(await claims()).toEqual([]);
  expect(world.woken).toHaveLength(1);
});

it('has those messages come again whose room could not be given back, and gives it back then', async () => {
  const { handle, writes, claims, store } = await threePlaced({ failsFirst: true });
  expect(await handle([endOf('t1'), '{}', endOf('t2')])).toEqual(['m0', 'm2']);
  expect((await store.getTask('t1'))?.state).toBe('SUCCEEDED');
  expect(await claims()).toEqual(['t1', 't2', 't3']);
  expect(await handle([endOf('t1'), endOf('t2')])).toEqual([]);
  expect(writes).toHaveLength(2);
  expect(await claims()).toEqual(['t3']);
});
