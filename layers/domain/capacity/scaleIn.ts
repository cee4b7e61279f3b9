import type { Host } from '../model/host.ts';
import type { ScaleInPlan } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import { amountOf, minus, noResources, plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { fits } from '../placement/fits.ts';
import { drainsOf } from './consolidate.ts';
import { DEFAULT_BUDGET, type DisruptionBudget } from './disruption.ts';

/**
 * Which hosts to give back. An empty host goes once it has been idle for its pool's `idleHostMs`, unless pending work could
 * use it, or the pool would fall below `minHosts`, `desiredHosts` or its headroom. `wakeAt` is when the next one's wait ends.
 */
export function planScaleIn(
  snapshot: Snapshot,
  nowMs: number,
  budget: DisruptionBudget = DEFAULT_BUDGET,
): ScaleInPlan {
  const drain: ScaleInPlan['drain'][number][] = [];
  const retire: { hostId: string; epoch: number; reason: string }[] = [];
  let wakeAt: number | undefined;
  if (snapshot.cluster.paused) return { retire, drain };
  for (const pool of snapshot.cluster.pools) {
    const spare = new Spare(snapshot, pool);
    const drains = drainsOf(snapshot, pool, spare.hosts, budget, nowMs);
    drain.push(...drains.drain);
    const idle = snapshot.hosts.filter(
      (host) => isIdle(host, pool) && !drains.needed.has(host.hostId) && !isWanted(host, snapshot),
    );
    for (const host of idle.sort(dearestFirst)) {
      if (!spare.canLose(host)) continue;
      // A host that was being emptied has nothing to wait for.
      const due = host.state === 'DRAINING' ? nowMs : dueAt(host, pool, nowMs);
      if (due > nowMs) {
        wakeAt = Math.min(wakeAt ?? due, due);
        continue;
      }
      spare.lose(host);
      const seconds = Math.round((nowMs - (host.idleSince ?? nowMs)) / 1000);
      const reason = `idle for ${seconds} s; pool "${pool.name}" keeps an empty host ${Math.round(pool.idleHostMs / 1000)} s`;
      retire.push({ hostId: host.hostId, epoch: host.epoch, reason });
    }
  }
  return { retire, drain, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

/** EC2 bills a minute at least, from some seconds after the launch: until it is over an empty host costs nothing. */
const PAID_FOR_MS = 60_000;

const dueAt = (host: Host, pool: Pool, nowMs: number): number =>
  Math.max((host.idleSince ?? nowMs) + pool.idleHostMs, host.launchedAt + PAID_FOR_MS);

const isIdle = (host: Host, pool: Pool): boolean =>
  host.pool === pool.name &&
  (host.state === 'READY' || host.state === 'CORDONED' || host.state === 'DRAINING') &&
  Object.keys(host.claims).length === 0 &&
  host.idleSince !== undefined;

/** Whether a pending task, backing off or not, could run on the host. */
function isWanted(host: Host, snapshot: Snapshot): boolean {
  if (host.state !== 'READY') return false;
  return snapshot.pending.some(({ spec }) => {
    const { pool, constraints } = spec.placement;
    const rules = { group: spec.group, constraints, ...(pool === undefined ? {} : { pool }) };
    return fits(host, spec.demand, spec.hostPorts, rules).length === 0;
  });
}

/** The host that saves most goes first. */
const dearestFirst = (a: Host, b: Host): number =>
  b.usdPerHour - a.usdPerHour || (a.idleSince ?? 0) - (b.idleSince ?? 0) || (a.hostId < b.hostId ? -1 : 1);

/** What the pool may lose and still have its hosts and its headroom. */
class Spare {
  #hosts: number;
  #free: Resources;
  readonly #pool: Pool;

  constructor(snapshot: Snapshot, pool: Pool) {
    this.#pool = pool;
    const serving = snapshot.hosts.filter(
      ({ pool: name, state }) => name === pool.name && (state === 'READY' || state === 'BOOTING'),
    );
    this.#hosts = serving.length - Math.max(pool.minHosts, pool.desiredHosts);
    this.#free = serving
      .filter(({ state }) => state === 'READY')
      .reduce((sum, { left }) => plus(sum, left), noResources);
  }

  /** Hosts beyond the least the pool wants. */
  get hosts(): number {
    return this.#hosts;
  }

  /** A host that takes no more tasks is no reserve: losing it costs the pool nothing. */
  canLose(host: Host): boolean {
    if (host.state !== 'READY') return true;
    if (this.#hosts <= 0) return false;
    const after = minus(this.#free, host.left);
    return Object.entries(this.#pool.headroom).every(
      ([dimension, amount]) => amountOf(after, dimension) >= amount,
    );
  }

  lose(host: Host): void {
    if (host.state !== 'READY') return;
    this.#hosts -= 1;
    this.#free = minus(this.#free, host.left);
  }
}
