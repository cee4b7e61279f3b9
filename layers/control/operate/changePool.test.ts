import { expect, it } from 'vitest';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { aCluster, aPool } from '../../../test/support/records.ts';
import { DEFAULT_BUDGET } from '../../domain/capacity/disruption.ts';
import { parseOperate } from '../../events/operate/command.ts';
import { changesOf } from '../../events/operate/poolSettings.ts';
import { fakeWorld } from '../testWorld.ts';
import { changePool } from './changePool.ts';

async function change(json: object) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  await store.ensureCluster(aCluster({ pools: [aPool({ maxHosts: 5 })] }));
  const parsed = parseOperate({ operation: 'pool', cluster: 'prod', pool: 'general', change: json });
  if (!parsed.ok || parsed.value.operation !== 'pool') return parsed;
  const outcome = await changePool(world, 'prod', 'general', changesOf(parsed.value.change));
  return { ...outcome, onRecord: (await store.getCluster('prod'))?.pools[0], woken: world.woken.length };
}

it('changes what is named, in the units of the record, and wakes the scheduler', async () => {
  const result = await change({
    maxHosts: 20,
    idleHostSeconds: 30,
    minimums: [{ days: ['Mon'], from: '08:00', to: '18:00', hosts: 2 }],
    disruption: { maxHostsPerHour: 3 },
  });
  const changed = aPool({
    maxHosts: 20,
    idleHostMs: 30_000,
    minimums: [{ days: [1], fromMinute: 480, toMinute: 1080, hosts: 2 }],
    disruption: { ...DEFAULT_BUDGET, maxHostsPerHour: 3 },
  });
  expect(result).toMatchObject({ outcome: 'changed', pool: changed, onRecord: changed, woken: 1 });
});

it('refuses what contradicts itself or cannot be, and says what', async () => {
  expect(await change({ minHosts: 6 })).toMatchObject({ outcome: 'contradictory', minHosts: 6, maxHosts: 5 });
  expect(await change({})).toMatchObject({ ok: false, problems: [{ rule: 'There is nothing to change.' }] });
  expect(await change({ maxHost: 3 })).toMatchObject({
    problems: [{ field: 'change.maxHost', fix: 'Did you mean maxHosts?' }],
  });
  expect(await change({ minimums: [{ from: '8:00', to: '18:00', hosts: 2 }] })).toMatchObject({
    problems: [{ field: 'change.minimums[0].from' }],
  });
});
