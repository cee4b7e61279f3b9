import type { SQSEvent } from 'aws-lambda';
import { expect, it } from 'vitest';
import { createHandler } from '../functions/accept/handler.ts';
import { fakeWorld } from '../layers/control/testWorld.ts';
import { StoreUnavailable } from '../layers/ports/store.ts';
import { createMemoryStore } from '../local/sim/memoryStore.ts';
import { lambdaContext } from './support/lambdaContext.ts';
import { recordedTelemetry } from './support/recordedTelemetry.ts';
import { aCluster } from './support/records.ts';
import { requestEvent } from './support/requestEvent.ts';

const batchOf = (bodies: readonly string[]): SQSEvent => ({
  Records: bodies.map((body, index) => ({ messageId: `m${index}`, body, attributes: {} })) as never,
});

const asks = (idempotencyKey: string, over: object = {}): string =>
  requestEvent({ cluster: 'prod', taskDefinition: 'hello', idempotencyKey, ...over }, { id: idempotencyKey });

async function acceptor() {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  const published: string[] = [];
  world.bus.publish = async (events) => void published.push(...events.map(({ detailType }) => detailType));
  for (const name of ['prod', 'test']) await store.ensureCluster(aCluster({ name }));
  const telemetry = recordedTelemetry();
  const deps = { ...world, ...telemetry, settings: { service: 'test', logLevel: 'INFO' as const } };
  const handle = async (bodies: readonly string[], context = lambdaContext()) =>
    (await createHandler(deps)(batchOf(bodies), context)).batchItemFailures.map(
      ({ itemIdentifier }) => itemIdentifier,
    );
  const arrivals = () =>
    [...store.tables.arrivals.values()].flatMap((each) => [...each.values()].map(({ taskIds }) => taskIds));
  const keys = () => [...store.tables.tasks.values()].map(({ idempotencyKey }) => idempotencyKey);
  return { store, world, published, handle, arrivals, keys };
}

it('notes all that a batch brings to a cluster at once, before any of it is on record', async () => {
  const { store, handle, arrivals, keys, published } = await acceptor();
  const { noteArrivals } = store;
  store.noteArrivals = async (arrival) => {
    expect(keys().filter((key) => arrival.cluster === 'prod' || key === 'c')).toEqual([]);
    return noteArrivals(arrival);
  };
  const bodies = [
    asks('a', { count: 2 }),
    '{"poison":',
    asks('c', { cluster: 'test' }),
    asks('no', { cluster: 'x' }),
  ];
  expect(await handle([...bodies, asks('b')])).toEqual([]);
  expect(arrivals().map(({ length }) => length)).toEqual([3, 1]);
  expect(keys().sort()).toEqual(['a', 'a', 'b', 'c']);
  expect(published).toEqual(['Task Rejected']);
});

it('has come again what could not be noted, and alone what could not be recorded', async () => {
  const { store, handle, keys } = await acceptor();
  const { noteArrivals, acceptTask } = store;
  store.noteArrivals = async (arrival) => {
    if (arrival.cluster === 'prod') throw new StoreUnavailable('timed out');
    return noteArrivals(arrival);
  };
  expect(await handle([asks('a'), asks('c', { cluster: 'test' }), asks('b')])).toEqual(['m0', 'm2']);
  expect(keys()).toEqual(['c']);
  store.noteArrivals = noteArrivals;
  store.acceptTask = async (task) => {
    if (task.idempotencyKey === 'a') throw new StoreUnavailable('timed out');
    return acceptTask(task);
  };
  expect(await handle([asks('a'), asks('b')])).toEqual(['m0']);
  expect(keys()).toEqual(['c', 'b']);
});

it('looks at what waits for others when those of its batch are on record', async () => {
  const { store, handle, keys } = await acceptor();
  await handle([asks('a')]);
  const [first = ''] = store.tables.tasks.keys();
  const then = asks('then', { after: [{ taskId: first }] });
  store.tables.tasks.clear();
  expect(await handle([then, asks('a')])).toEqual([]);
  expect(keys()).toEqual(['a', 'then']);
});

it('does not begin what it has no time for', async () => {
  const { handle, keys } = await acceptor();
  // Read, looked at, recorded: each of three, as far as it comes.
  const left = [...Array.from({ length: 7 }, () => 9_000), 1_000, 1_000];
  const context = lambdaContext({ getRemainingTimeInMillis: () => left.shift() ?? 0 });
  expect(await handle([asks('a'), asks('b'), asks('c')], context)).toEqual(['m1', 'm2']);
  expect(keys()).toEqual(['a']);
});
