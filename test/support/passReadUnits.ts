import { concurrently } from '../../layers/control/concurrently.ts';
import { PassMemory } from '../../layers/control/passMemory.ts';
import { schedulePass } from '../../layers/control/schedulePass.ts';
import { fakeWorld } from '../../layers/control/testWorld.ts';
import type { Claim, Host } from '../../layers/domain/model/host.ts';
import { createDynamoStore } from '../../layers/store/dynamoStore.ts';
import type { CapacityMeter } from './consumedCapacity.ts';
import type { TestDatabase } from './dynoxide.ts';
import { aCluster, aHost, aPool, aTask } from './records.ts';

const TASKS_PER_HOST = 20;
const ARRIVALS = 5;
const ADDED_AT_ONCE = 16;
const ROOM = { cpu: 4_000, memory: 8_000 };

/** About as large as ECS registers one. */
function busyHost(n: number): Host {
  const claims = Array.from({ length: TASKS_PER_HOST }, (_, k): [string, Claim] => {
    const taskId = `${String(n).padStart(6, '0')}x${String(k).padStart(19, '0')}`;
    return [
      taskId,
      {
        taskId,
        attempt: 1,
        demand: { cpu: 512, memory: 2_048 },
        hostPorts: [],
        claimedAt: 1_790_000_000_000,
        group: 'family:web',
        priority: 0,
        interruptible: false,
        source: 'k3f9',
      },
    ];
  });
  const attributes = Object.fromEntries(
    Array.from({ length: 35 }, (_, index) => [`ecs.capability.some-long-capability-name.${index}`, '']),
  );
  return aHost({
    hostId: `i-${n.toString(16).padStart(17, '0')}`,
    capacity: { cpu: 512 * TASKS_PER_HOST + ROOM.cpu, memory: 2_048 * TASKS_PER_HOST + ROOM.memory },
    left: ROOM,
    claims: Object.fromEntries(claims),
    attributes,
  });
}

/**
 * DynamoDB's read units, from the engine, of a pass that reads all hosts and of one for a single arrival after it (mean of
 * five), on a table with so many hosts, each with twenty tasks and room for more.
 */
export async function passReadUnits(
  database: TestDatabase,
  meter: CapacityMeter,
  { hosts, cells }: { readonly hosts: number; readonly cells: number },
): Promise<{ readonly whole: number; readonly arrival: number }> {
  const store = createDynamoStore({ client: database.client, table: await database.createTable() });
  await store.ensureCluster(aCluster({ cells, pools: [aPool()] }));
  const rows = Array.from({ length: hosts }, (_, n) => n);
  await concurrently(rows, ADDED_AT_ONCE, async (n) => {
    await store.addHost(busyHost(n));
  });
  const world = fakeWorld(store);
  const memory = new PassMemory();
  const read = (): number => readCommands.reduce((sum, name) => sum + (meter.units.get(name) ?? 0), 0);
  meter.reset();
  await schedulePass(world, 'prod', [], { memory });
  const whole = read();
  let arrival = 0;
  for (let n = 0; n < ARRIVALS; n += 1) {
    const { taskId } = (await store.acceptTask(aTask({ taskId: `arrival-${n}` }))).task;
    meter.reset();
    const { placed } = await schedulePass(world, 'prod', [taskId], { changedHosts: [], memory });
    if (placed !== 1) throw new Error(`${placed} tasks were placed, not the one that came`);
    arrival += read() / ARRIVALS;
  }
  return { whole, arrival };
}

const readCommands = ['GetItemCommand', 'BatchGetItemCommand', 'QueryCommand'];
