import type { Snapshot } from '../model/snapshot.ts';
import { hostsOnOrder } from '../placement/virtualHosts.ts';

/** Hosts a pool has or has asked for, by pool. What is being given back no longer counts. */
export function hostsByPool(snapshot: Snapshot): Map<string, number> {
  const counts = new Map<string, number>(snapshot.cluster.pools.map(({ name }) => [name, 0]));
  const present = snapshot.hosts.filter(({ state }) => state !== 'TERMINATING');
  for (const { pool } of [...present, ...hostsOnOrder(snapshot)]) {
    counts.set(pool, (counts.get(pool) ?? 0) + 1);
  }
  return counts;
}

/** Hosts that each pool may still buy. */
export class Slots {
  readonly #left: Map<string, number>;

  constructor(snapshot: Snapshot) {
    const have = hostsByPool(snapshot);
    this.#left = new Map(
      snapshot.cluster.pools.map(({ name, maxHosts }) => [
        name,
        Math.max(0, maxHosts - (have.get(name) ?? 0)),
      ]),
    );
  }

  of(pool: string): number {
    return this.#left.get(pool) ?? 0;
  }

  take(pool: string, hosts: number): void {
    this.#left.set(pool, this.of(pool) - hosts);
  }
}
