import { afterAll, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../layers/ports/store.ts';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { aCluster, aHost, aTask } from '../support/records.ts';
import { claimRequest } from './store/world.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

/** Done between the read of a host and the write that follows from it, once. */
let meanwhile: (() => Promise<unknown>) | undefined;
database.client.middlewareStack.add(
  (next, { commandName }) =>
    async (args) => {
      if (commandName === 'UpdateItemCommand' && meanwhile !== undefined) {
        const act = meanwhile;
        meanwhile = undefined;
        await act();
      }
      return next(args);
    },
  { step: 'initialize', name: 'meanwhile' },
);

const host = aHost({ capacity: { cpu: 768, memory: 1536 }, left: { cpu: 768, memory: 1536 } });
const ends = ['t1', 't2', 't3'].map((taskId) => ({ taskId, attempt: 1 }));
let store: Store;

beforeEach(async () => {
  store = createDynamoStore({ client: database.client, table: await database.createTable() });
  await store.ensureCluster(aCluster());
  await store.addHost(host);
  const tasks = ends.map(({ taskId }) => aTask({ taskId }));
  for (const task of tasks) await store.acceptTask(task);
  await store.claim(claimRequest(host, tasks));
});

const release = (which: typeof ends, at: number) => store.releaseClaims('prod', host.hostId, which, at);

it('gives back the rest of a batch when one of its claims was given back meanwhile', async () => {
  meanwhile = () => release(ends.slice(1, 2), 5);
  expect(await release(ends, 6)).toEqual({ released: ['t1', 't3'] });
  expect(await store.getHost('prod', host.hostId)).toEqual({ ...host, idleSince: 6 });
});

/** Holds the place of `t1` and `t2` for another. */
const hold = async () => {
  await store.acceptTask(aTask({ taskId: 'heir' }));
  const { demand, hostPorts, group, priority } = aTask().spec;
  const heir = { taskId: 'heir', attempt: 1, demand, hostPorts, group, priority };
  const victims = ends.slice(0, 2);
  return store.holdPlace({ cluster: 'prod', hostId: host.hostId, epoch: 0, nowMs: 4, heir, victims });
};

it('gives the room of a batch to the heir that its claims were promised to meanwhile', async () => {
  meanwhile = hold;
  await release(ends, 6);
  const after = await store.getHost('prod', host.hostId);
  expect(Object.keys(after?.claims ?? {})).toEqual(['hold#heir']);
  expect(after?.claims['hold#heir']?.demand).toEqual({ cpu: 256, memory: 512 });
  expect(after?.left).toEqual({ cpu: 512, memory: 1024 });
});

it('gives back all of a hold that grew meanwhile', async () => {
  await hold();
  meanwhile = () => release(ends.slice(0, 1), 5);
  expect(await release([{ taskId: 'hold#heir', attempt: 1 }], 6)).toEqual({ released: ['hold#heir'] });
  const after = await store.getHost('prod', host.hostId);
  expect(Object.keys(after?.claims ?? {}).sort()).toEqual(['t2', 't3']);
  expect(after?.left).toEqual({ cpu: 256, memory: 512 });
});
