import { type Host, sourceTag } from '../model/host.ts';
import type { Cluster, Usage } from '../model/pool.ts';
import { amountOf, plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';

/** After so long half of what a source has used is forgotten. */
export const HALF_LIFE_MS = 3_600_000;
/** Less is as good as nothing, and is not kept. */
const NEGLIGIBLE = 1e-4;
/** Sources whose usage is kept, the largest: the record is read by every pass. */
const MAX_KEPT = 100;

/**
 * What each source holds, as its claims say: by `sourceTag`. Its dominant share is the largest part of any dimension of the
 * cluster (Ghodsi et al., "Dominant Resource Fairness", NSDI 2011).
 */
export function heldBySource(hosts: readonly Host[]): Map<string, Resources> {
  const held = new Map<string, Resources>();
  for (const { claims } of hosts) {
    for (const { source, demand } of Object.values(claims)) {
      if (source !== undefined) held.set(source, plus(held.get(source) ?? {}, demand));
    }
  }
  return held;
}

/** All that the cluster's hosts offer, those included that still boot. */
export const totalCapacity = (hosts: readonly Host[]): Resources =>
  hosts.reduce<Resources>(
    (sum, { state, capacity }) => (state === 'TERMINATING' ? sum : plus(sum, capacity)),
    {},
  );

export function dominantShare(held: Resources, total: Resources): number {
  let share = 0;
  for (const [dimension, amount] of Object.entries(held)) {
    const whole = amountOf(total, dimension);
    if (whole > 0) share = Math.max(share, amount / whole);
  }
  return share;
}

/**
 * Usage as Slurm's fair-share keeps it, decayed with a half-life: the exponentially weighted mean of the dominant share held,
 * `u' = u d + held (1 - d)` with `d = 2^(-dt / half-life)`. Between 0 and 1, and what was held for ever is its limit.
 */
export function usageAt(before: Usage | undefined, held: ReadonlyMap<string, number>, nowMs: number): Usage {
  const passedMs = before === undefined ? 0 : Math.max(0, nowMs - before.at);
  const kept = 2 ** (-passedMs / HALF_LIFE_MS);
  const sources = new Set([...Object.keys(before?.bySource ?? {}), ...held.keys()]);
  const amounts = [...sources]
    .map((source): [string, number] => [
      source,
      (before?.bySource[source] ?? 0) * kept + (held.get(source) ?? 0) * (1 - kept),
    ])
    .filter(([, amount]) => amount >= NEGLIGIBLE)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .slice(0, MAX_KEPT);
  return { at: Math.max(nowMs, before?.at ?? nowMs), bySource: Object.fromEntries(amounts) };
}

export const heldShares = (hosts: readonly Host[]): Map<string, number> => {
  const total = totalCapacity(hosts);
  return new Map([...heldBySource(hosts)].map(([source, held]) => [source, dominantShare(held, total)]));
};

export const weightOf = (cluster: Pick<Cluster, 'weights'>, source: string): number =>
  cluster.weights?.[source] ?? 1;

/** What counts in a source's turn, for a person; undefined while it has the cluster to itself. */
export function shareWords(
  { cluster, hosts, pending }: Pick<Snapshot, 'cluster' | 'hosts' | 'pending'>,
  source: string,
  nowMs: number,
): string | undefined {
  const [tag, shares] = [sourceTag(source), heldShares(hosts)];
  const alone =
    pending.every((task) => task.source === source) && [...shares.keys()].every((held) => held === tag);
  if (alone) return undefined;
  const used = usageAt(cluster.usage, shares, nowMs).bySource[tag] ?? 0;
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
  return `${source} holds ${percent(shares.get(tag) ?? 0)} of the cluster and has used ${percent(used)} of it lately, at weight ${weightOf(cluster, source)}`;
}
