import { idleWait } from '../domain/capacity/breakEven.ts';
import type { Host } from '../domain/model/host.ts';
import type { Pool } from '../domain/model/pool.ts';
import type { Store } from '../ports/store.ts';

/** So many of a pool are put on record in one write: an observation less or more decides nothing. */
const FLUSH_AT = 8;
/** A host that was given back was not needed again for as long as anyone waited. */
const NEVER_MS = 86_400_000;

/**
 * Observed times between a host's last task and its next, by pool, kept by a process until they are worth a write. Only of
 * hosts that wait in full (`idleWait`): of the others long gaps would be cut off, and short ones seem more than they are.
 */
export class IdleGaps {
  readonly #open = new Map<string, number[]>();

  /** An idle host was claimed. */
  used(host: Host, pool: Pool, nowMs: number): void {
    const { idleSince } = host;
    if (idleSince !== undefined && idleWait(pool, host).full) this.#add(host, Math.max(0, nowMs - idleSince));
  }

  /** An idle host, as it was before, was given back; one that was emptied on purpose says nothing of when work comes. */
  async givenBack(store: Pick<Store, 'recordIdleGaps'>, host: Host, pool: Pool): Promise<void> {
    if (host.state !== 'READY' || !idleWait(pool, host).full) return;
    this.#add(host, NEVER_MS);
    await this.#flush(store, host.cluster, host.pool);
  }

  async flushFull(
    store: Pick<Store, 'recordIdleGaps'>,
    cluster: string,
    pools: readonly string[],
  ): Promise<void> {
    for (const pool of pools) {
      if ((this.#open.get(keyOf(cluster, pool))?.length ?? 0) >= FLUSH_AT)
        await this.#flush(store, cluster, pool);
    }
  }

  #add({ cluster, pool }: Host, gapMs: number): void {
    const key = keyOf(cluster, pool);
    this.#open.set(key, [...(this.#open.get(key) ?? []), gapMs]);
  }

  async #flush(store: Pick<Store, 'recordIdleGaps'>, cluster: string, pool: string): Promise<void> {
    const key = keyOf(cluster, pool);
    const gaps = this.#open.get(key) ?? [];
    this.#open.delete(key);
    await store.recordIdleGaps(cluster, pool, gaps);
  }
}

const keyOf = (cluster: string, pool: string): string => `${cluster}/${pool}`;
