import type { Host } from '../model/host.ts';
import type { ScaleInPlan } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import { amountOf, minus, noResources, plus, type Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { fits } from '../placement/fits.ts';
import { idleWait } from './breakEven.ts';
import { Rooms } from './rooms.ts';
import { wantedHosts } from './wantedHosts.ts';

/**
 * Which hosts to give back. An empty host goes once it has been idle for as long as its pool's observed gaps make worth
 * while (`idleWait`), unless pending or moving work could use it, or the pool would fall below the hosts or the
 * headroom that it keeps. `wakeAt` is when the next one's wait ends. `needed` are hosts that the caller has plans for.
 */
export function planScaleIn(
  snapshot: Snapshot,
  nowMs: number,
  needed: ReadonlySet<string> = new Set(),
): ScaleInPlan {
  const retire: { hostId: string; epoch: number; reason: string }[] = [];
  let wakeAt: number | undefined;
  if (snapshot.cluster.paused) return { retire };
  for (const pool of snapshot.cluster.pools) {
    const spare = new Spare(snapshot, pool, nowMs);
    const awaited = roomForMoves(snapshot.hosts.filter((host) => host.pool === pool.name));
    const idle = snapshot.hosts.filter(
      (host) =>
        isIdle(host, pool) &&
        !needed.has(host.hostId) &&
        !awaited.has(host.hostId) &&
        !isReplacing(host, snapshot, nowMs) &&
        !isWanted(host, snapshot),
    );
    for (const host of idle.sort(dearestFirst)) {
      if (!spare.canLose(host)) continue;
      // A host that was being emptied has nothing to wait for.
      const { waitMs } = idleWait(pool, host);
      const due = host.state === 'DRAINING' ? nowMs : dueAt(host, waitMs, nowMs);
      if (due > nowMs) {
        wakeAt = Math.min(wakeAt ?? due, due);
        continue;
      }
      spare.lose(host);
      retire.push({ hostId: host.hostId, epoch: host.epoch, reason: whyRetired(host, pool, waitMs, nowMs) });
    }
  }
  return { retire, ...(wakeAt === undefined ? {} : { wakeAt }) };
}

function whyRetired(host: Host, pool: Pool, waitMs: number, nowMs: number): string {
  if (host.state === 'DRAINING') return `emptied: ${host.stateReason}`;
  const seconds = (ms: number): number => Math.round(ms / 1000);
  const keeps = `pool "${pool.name}" keeps an empty host ${seconds(waitMs)} s`;
  const learned = waitMs < pool.idleHostMs ? ', by the gaps it has observed' : '';
  return `idle for ${seconds(nowMs - (host.idleSince ?? nowMs))} s; ${keeps}${learned}`;
}

/** A host bought to replace others waits this long for them to be emptied; then it is an empty host like any other. */
const REPLACEMENT_WAIT_MS = 900_000;

/** Whether some of what the host was bought to replace is still there. */
const isReplacing = ({ replaces = [], launchedAt }: Host, { hosts }: Snapshot, nowMs: number): boolean =>
  replaces.length > 0 &&
  nowMs < launchedAt + REPLACEMENT_WAIT_MS &&
  hosts.some(({ hostId, state }) => replaces.includes(hostId) && (state === 'READY' || state === 'DRAINING'));

/**
 * Empty hosts that tasks will need which are being moved off others: between their stop and their return to the queue
 * nothing else tells of them.
 */
export function roomForMoves(ofPool: readonly Host[]): ReadonlySet<string> {
  if (!ofPool.some(({ state }) => state === 'DRAINING')) return new Set();
  const hosts = ofPool.filter(({ state }) => state === 'READY' || state === 'DRAINING');
  const rooms = new Rooms(hosts);
  const moving = [...hosts.keys()].filter((row) => hosts[row]?.state === 'DRAINING');
  for (const row of moving) rooms.close(row);
  for (const row of moving) {
    const claims = Object.values(hosts[row]?.claims ?? {});
    rooms.moveSome(
      claims.filter(({ interruptible, hold }) => interruptible && hold === undefined),
      row,
    );
  }
  return rooms.opened();
}

/** EC2 bills a minute at least, from some seconds after the launch: until it is over an empty host costs nothing. */
const PAID_FOR_MS = 60_000;

const dueAt = (host: Host, waitMs: number, nowMs: number): number =>
  Math.max((host.idleSince ?? nowMs) + waitMs, host.launchedAt + PAID_FOR_MS);

const isIdle = (host: Host, pool: Pool): boolean =>
  host.pool === pool.name &&
  (host.state === 'READY' || host.state === 'CORDONED' || host.state === 'DRAINING') &&
  host.idleSince !== undefined &&
  Object.keys(host.claims).length === 0;

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

  constructor(snapshot: Snapshot, pool: Pool, nowMs: number) {
    this.#pool = pool;
    const serving = snapshot.hosts.filter(
      ({ pool: name, state }) => name === pool.name && (state === 'READY' || state === 'BOOTING'),
    );
    this.#hosts = serving.length - wantedHosts(pool, nowMs);
    this.#free = serving
      .filter(({ state }) => state === 'READY')
      .reduce((sum, { left }) => plus(sum, left), noResources);
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
