import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import { createMemoryStore } from '../../local/sim/memoryStore.ts';
import { startDynoxide } from '../support/dynoxide.ts';
import { aHost, aTask, aTaskSpec } from '../support/records.ts';
import { perform, type StoreCommand, storeCommand } from './storeCommands.ts';

const database = await startDynoxide();
afterAll(() => database.stop());

const numRuns = Number(process.env.BERTH_STORE_RUNS ?? 60);

const sequence = fc.array(storeCommand, { minLength: 10, maxLength: 60 });

/** What can be read at the end, so that a write that answered alike and did something else is found too. */
const reads = [
  { call: 'listHosts', args: ['prod'] },
  { call: 'getTasks', args: [['t1', 't2', 't3', 't4']] },
  { call: 'listPending', args: ['prod', 9] },
  { call: 'listArrivals', args: ['prod', { afterMs: -1, untilMs: 9 }, 9] },
  { call: 'getCluster', args: ['prod'] },
  { call: 'listOpenOrders', args: ['prod'] },
];

/** A little world to begin with, so that most claims have something to meet. */
const start: StoreCommand[] = [
  { call: 'ensureCluster', args: [{ name: 'prod', cells: 2, paused: false, pools: [] }] },
  { call: 'addHost', args: [aHost({ hostId: 'i-1' })] },
  { call: 'addHost', args: [aHost({ hostId: 'i-2', left: { cpu: 500, memory: 900 } })] },
  { call: 'acceptTask', args: [aTask({ taskId: 't1' })] },
  { call: 'acceptTask', args: [aTask({ taskId: 't2', spec: aTaskSpec({ hostPorts: ['80/tcp'] }) })] },
];

/** The same with a host on which two tasks stop for a third, so that what is given back has heirs. */
const [v1, v2] = [claimOn('t1', ['80/tcp']), claimOn('t2', [])];
const startHeld: StoreCommand[] = [
  ...start.slice(0, 1),
  { call: 'addHost', args: [aHost({ hostId: 'i-1', left: { cpu: 600, memory: 1100 } })] },
  ...['t1', 't2', 't3'].map((taskId) => ({ call: 'acceptTask', args: [aTask({ taskId })] })),
  {
    call: 'claim',
    args: [
      {
        ...{ cluster: 'prod', hostId: 'i-1', epoch: 0, nowMs: 1 },
        reason: { code: 'PLACED', detail: 'fits' },
        tasks: [v1, v2],
      },
    ],
  },
  {
    call: 'holdPlace',
    args: [
      {
        ...{ cluster: 'prod', hostId: 'i-1', epoch: 0, nowMs: 2 },
        heir: { ...claimOn('t3', ['80/tcp']), demand: { cpu: 500, memory: 900 } },
        victims: [v1, v2],
      },
    ],
  },
];

function claimOn(taskId: string, hostPorts: readonly string[]) {
  const shared = { group: 'family:web', priority: 0, interruptible: true };
  return { taskId, attempt: 1, demand: { cpu: 250, memory: 450 }, hostPorts, ...shared };
}

it(
  'answers every random sequence of calls in memory as on DynamoDB, refused transactions included',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(start, startHeld), sequence, async (begin, commands) => {
        const memory = createMemoryStore();
        const dynamo = createDynamoStore({ client: database.client, table: await database.createTable() });
        for (const command of [...begin, ...commands, ...reads]) {
          const [actual, model] = [await perform(dynamo, command), await perform(memory, command)];
          expect(actual, `${command.call}(${JSON.stringify(command.args)})`).toEqual(model);
        }
      }),
      { numRuns },
    );
  },
  30_000 + numRuns * 200,
);
