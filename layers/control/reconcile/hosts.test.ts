import { expect, it } from 'vitest';
import { createMemoryStore } from '../../../local/sim/memoryStore.ts';
import { aCluster, aHost } from '../../../test/support/records.ts';
import { fakeWorld } from '../testWorld.ts';
import { ABSENCE_PROOF_MS } from './hosts.ts';
import { reconcileCluster } from './reconcileCluster.ts';

/** A reconcile round that is held up for `heldUpMs` after EC2 said that it knows no instance; a host is then on record. */
async function roundHeldUp(heldUpMs: number, launchedBeforeMs: number) {
  const store = createMemoryStore();
  const world = fakeWorld(store);
  const cluster = aCluster();
  await store.ensureCluster(cluster);
  const launchedAt = world.clock.now() - launchedBeforeMs;
  const list = async () => {
    await store.addHost(aHost({ hostId: 'i-1', state: 'BOOTING', launchedAt }));
    world.advance(heldUpMs);
    return [];
  };
  const repairs = await reconcileCluster({ ...world, machines: { ...world.machines, list } }, cluster);
  return { lost: repairs.hostsLost, host: await store.getHost(cluster.name, 'i-1') };
}

it('takes no host for lost that was bought after EC2 was asked, however long the round is held up', async () => {
  const { lost, host } = await roundHeldUp(ABSENCE_PROOF_MS + 1_000, 0);
  expect(lost).toBe(0);
  expect(host?.state).toBe('BOOTING');
});

it('takes a host for lost that EC2 does not know long after it was bought', async () => {
  expect(await roundHeldUp(0, ABSENCE_PROOF_MS + 1_000)).toMatchObject({ lost: 1, host: undefined });
});
