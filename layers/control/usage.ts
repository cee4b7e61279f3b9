import type { Snapshot } from '../domain/model/snapshot.ts';
import { heldShares, usageAt } from '../domain/placement/fairShare.ts';
import type { World } from './world.ts';

/** Usage decays over an hour: that it is brought forward this often is soon enough, and costs no more with many passes. */
const RECORD_EVERY_MS = 30_000;

/**
 * Brings the sources' usage forward by what they hold, once in a while. Where one source has the cluster to itself there is
 * nothing to share and nothing is written.
 */
export async function recordUsage(
  { store, clock }: Pick<World, 'store' | 'clock'>,
  { cluster, hosts, pending }: Snapshot,
): Promise<void> {
  const before = cluster.usage;
  const now = clock.now();
  if (before !== undefined && now - before.at < RECORD_EVERY_MS) return;
  const held = heldShares(hosts);
  const sources = new Set(pending.map(({ source }) => source));
  if (before === undefined && held.size < 2 && sources.size < 2) return;
  const after = usageAt(before, held, now);
  const idle = held.size === 0 && Object.keys(before?.bySource ?? {}).length === 0;
  if (before !== undefined && idle) return;
  // Whoever was faster has written the same.
  await store.recordUsage(cluster.name, before?.at, after);
}
