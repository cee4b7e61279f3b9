import { heldPlaces } from '../../layers/domain/lifecycle/hold.ts';
import type { Host } from '../../layers/domain/model/host.ts';
import type { Task } from '../../layers/domain/model/task.ts';
import { fits } from '../../layers/domain/placement/fits.ts';
import type { Violation } from './checker.ts';
import type { MemoryTables } from './memoryTables.ts';

/**
 * Reconcile's wake has every pass over all hosts, every minute. What a pass left to wait on a copy of them (`placeOnCopy`) it
 * has to place; a second round makes good what the first was too early for, and the passes take some seconds.
 */
export const ROOM_BOUND_MS = 130_000;

/** Watches, once nothing goes wrong any more, for how long tasks wait although a host has room for them. */
export class RoomWatch {
  /** By attempt: since when some host has had room at every look. */
  readonly #since = new Map<string, number>();

  look(
    tables: MemoryTables,
    cluster: string,
    nowMs: number,
  ): Pick<Violation, 'detail' | 'about'> | undefined {
    const meta = tables.clusters.get(cluster);
    const hosts = [...(tables.hosts.get(cluster)?.values() ?? [])];
    const heirs = new Set(heldPlaces(hosts).map(({ heir }) => heir));
    for (const task of tables.pending.get(cluster)?.values() ?? []) {
      const attempt = `${task.taskId}:${task.attempt}`;
      // Caps and places held for it keep a task from room that there is.
      const mayGo =
        meta?.paused === false &&
        meta.sources?.get(task.source)?.paused !== true &&
        (task.notBefore ?? 0) <= nowMs &&
        task.spec.concurrency === undefined &&
        !heirs.has(task.taskId);
      const host = mayGo ? hostWithRoom(hosts, task) : undefined;
      const since = host === undefined ? undefined : (this.#since.get(attempt) ?? nowMs);
      if (host === undefined || since === undefined) {
        this.#since.delete(attempt);
        continue;
      }
      this.#since.set(attempt, since);
      if (nowMs - since > ROOM_BOUND_MS) {
        const detail = `${task.taskId} waits for ${(nowMs - since) / 1000} s beside room on ${host.hostId}: ${task.reason.detail}`;
        return { detail, about: [task.taskId, host.hostId] };
      }
    }
    return undefined;
  }
}

function hostWithRoom(hosts: readonly Host[], { spec }: Task): Host | undefined {
  const { pool, constraints, strategies, gang } = spec.placement;
  // These look further than at one host.
  if (gang !== undefined || strategies.some(({ type }) => type === 'spread')) return undefined;
  const rules = { group: spec.group, constraints, ...(pool !== undefined && { pool }) };
  return hosts.find((host) => fits(host, spec.demand, spec.hostPorts, rules).length === 0);
}
