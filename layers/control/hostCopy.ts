import { heldPlaces } from '../domain/lifecycle/hold.ts';
import type { Host } from '../domain/model/host.ts';
import type { Resources } from '../domain/model/resources.ts';
import { RoomIndex } from '../domain/placement/roomIndex.ts';
import type { Store } from '../ports/store.ts';

/**
 * How long a copy serves, after which all is read again: what nobody told of it costs a place for no longer. Agents report
 * every 30 s and reports are remembered for 15 s (`agentReports`): no host seems silent in it that is not (`SILENT_MS`).
 */
export const COPY_MS = 30_000;
/** With more in doubt, and more than this share of the hosts, all are read: that costs less than reading them one by one. */
const FEW = 16;
const MOST_IN_DOUBT = 1 / 8;

/** Hosts that are compared for one size of task. With so many it packs as with all (`npm run bench`). */
export const HOSTS_COMPARED = 64;

/** A copy brought up to date. Neither array is to be changed. */
export interface Refreshed {
  readonly hosts: readonly Host[];
  /** Those of them that were read again just now. */
  readonly read: readonly Host[];
}

/**
 * What a process remembers of a cluster's hosts from one pass to the next. Claims are guarded, so that an old copy costs a
 * pass that is planned anew and never a host's room. Whatever a pass may have changed itself, and whatever it is told to
 * have changed, is in doubt: it is read again before it is next relied on.
 */
export class HostCopy {
  #hosts: Host[] = [];
  #rows = new Map<string, number>();
  #rooms = new RoomIndex([], 0);
  #readAt: number | undefined;
  readonly #doubts = new Set<string>();
  /** Hosts on which places are held. */
  #holding = new Set<string>();

  /** These may have changed since they were read. */
  doubt(hostIds: Iterable<string>): void {
    for (const hostId of hostIds) this.#doubts.add(hostId);
  }

  /** It has misled: the next pass reads all. */
  forget(): void {
    this.#readAt = undefined;
  }

  /** All hosts as they are. A failed read leaves the copy as it was. */
  async readAll(store: Pick<Store, 'listHosts'>, cluster: string, nowMs: number): Promise<readonly Host[]> {
    const hosts = await store.listHosts(cluster);
    this.#hosts = [...hosts];
    this.#index(nowMs);
    this.#holding = new Set(heldPlaces(hosts).map(({ host }) => host.hostId));
    this.#readAt = nowMs;
    this.#doubts.clear();
    return hosts;
  }

  /**
   * The copy, with all that is in doubt read again. Undefined when it is too old, too much is in doubt, or places are held:
   * whose they are and what of them is still missing is looked up on hosts as they are.
   */
  async refresh(
    store: Pick<Store, 'listHosts'>,
    cluster: string,
    nowMs: number,
  ): Promise<Refreshed | undefined> {
    const ageMs = nowMs - (this.#readAt ?? Number.NEGATIVE_INFINITY);
    // Below zero when a clock was set back: then nobody knows its age.
    if (ageMs < 0 || ageMs >= COPY_MS) return undefined;
    const doubted = [...this.#doubts];
    if (doubted.length > Math.max(FEW, this.#hosts.length * MOST_IN_DOUBT)) return undefined;
    const read = doubted.length === 0 ? [] : await store.listHosts(cluster, doubted);
    this.#replace(doubted, read, nowMs);
    for (const hostId of doubted) this.#doubts.delete(hostId);
    return this.#holding.size > 0 ? undefined : { hosts: this.#hosts, read };
  }

  /** Those of the copy that tasks of these sizes would most likely go to, and the hosts just read: in the copy's order. */
  near(demands: readonly Resources[], read: readonly Host[]): readonly Host[] {
    const rows = new Set(demands.flatMap((demand) => this.#rooms.fullest(demand, HOSTS_COMPARED)));
    for (const { hostId } of read) rows.add(this.#rows.get(hostId) ?? -1);
    return [...rows].sort((a, b) => a - b).flatMap((row) => this.#hosts[row] ?? []);
  }

  #replace(doubted: readonly string[], read: readonly Host[], nowMs: number): void {
    const before = this.#hosts.length;
    for (const hostId of doubted) this.#holding.delete(hostId);
    for (const { host } of heldPlaces(read)) this.#holding.add(host.hostId);
    const known = new Set(read.map(({ hostId }) => hostId));
    const gone = new Set(doubted.filter((hostId) => !known.has(hostId) && this.#rows.has(hostId)));
    for (const host of read) {
      const row = this.#rows.get(host.hostId);
      if (row === undefined) this.#hosts.push(host);
      else {
        this.#hosts[row] = host;
        this.#rooms.set(row, host, nowMs);
      }
    }
    if (gone.size === 0 && this.#hosts.length === before) return;
    this.#hosts = this.#hosts
      .filter(({ hostId }) => !gone.has(hostId))
      .sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
    this.#index(nowMs);
  }

  #index(nowMs: number): void {
    this.#rows = new Map(this.#hosts.map(({ hostId }, row) => [hostId, row]));
    this.#rooms = new RoomIndex(this.#hosts, nowMs);
  }
}
