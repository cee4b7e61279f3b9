import type { CapacityPlan } from '../model/plan.ts';
import type { Pool } from '../model/pool.ts';
import type { Resources } from '../model/resources.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { byUrgency } from '../placement/order.ts';
import { type DemandGroup, demandGroups } from './demandGroups.ts';
import type { FleetHosts } from './fleet.ts';
import { attributesLearned } from './learned.ts';
import { solveWithinLimits } from './limits.ts';
import { marketOf } from './offers.ts';
import { ordersFor, type Purchase } from './orders.ts';
import { type Problem, problemOf } from './problem.ts';
import { reservePurchases } from './reserve.ts';
import { Slots } from './slots.ts';
import { solveFleet } from './solveFleet.ts';
import { spreadWide } from './spreadWide.ts';
import { whyStuck } from './stuck.ts';

/**
 * What to buy for the tasks that no host, booting ones and open orders included, can hold, and for the hosts and the
 * room that pools keep in reserve. Each task either gets its room ordered or appears in `stuck` with the reason.
 */
export function planCapacity(snapshot: Snapshot, unmet: readonly Task[], nowMs: number): CapacityPlan {
  const { pools, paused, name } = snapshot.cluster;
  if (paused) {
    const detail = `cluster "${name}" is paused: nothing is bought until it is resumed`;
    return { orders: [], stuck: unmet.map(({ taskId }) => ({ taskId, detail })) };
  }
  if (unmet.length === 0 && !pools.some(keepsReserve)) return { orders: [], stuck: [] };
  const market = marketOf(pools, snapshot.instanceTypes, snapshot.insufficientCapacity, nowMs);
  const learned = attributesLearned(snapshot.hosts);
  const slots = new Slots(snapshot);
  const stuck: { taskId: string; detail: string }[] = [];
  const hold = (tasks: readonly Task[], detail: string): void => {
    for (const { taskId } of tasks) stuck.push({ taskId, detail });
  };
  const purchases: Purchase[] = [];
  const groups = demandGroups([...unmet].sort(byUrgency), snapshot, market.offers, learned);
  for (const [zone, inZone] of byZone(groups)) {
    const { problem, refused } = problemOf(inZone, market.offers, learned);
    for (const { group, refusals } of refused)
      hold(group.tasks, whyStuck(group, pools, market, refusals, nowMs));
    if (problem.items.length === 0) continue;
    const wide = spreadWide(problem, snapshot.hosts);
    const { hosts, heldBack } = solveWithinLimits(wide, slots, solveFleet);
    for (const { tasks, detail } of heldBack) hold(tasks, detail);
    for (const each of hosts) purchases.push(purchaseOf(wide, each, zone));
  }
  purchases.push(...reservePurchases(snapshot, purchases, market.offers, slots, nowMs));
  return { orders: ordersFor(purchases, snapshot.hosts), stuck };
}

const keepsReserve = ({ minHosts, desiredHosts, minimums = [], headroom }: Pool): boolean =>
  minHosts > 0 || desiredHosts > 0 || minimums.length > 0 || Object.keys(headroom).length > 0;

function byZone(groups: readonly DemandGroup[]): Map<string | undefined, DemandGroup[]> {
  const zones = new Map<string | undefined, DemandGroup[]>();
  for (const group of groups) {
    const inZone = zones.get(group.zone);
    if (inZone === undefined) zones.set(group.zone, [group]);
    else inZone.push(group);
  }
  return zones;
}

function purchaseOf(
  problem: Problem,
  { offer, count, load }: FleetHosts,
  zone: string | undefined,
): Purchase {
  const chosen = problem.offers[offer];
  if (chosen === undefined)
    throw new RangeError(`the solver chose offer ${offer} of ${problem.offers.length}`);
  const items = [...load.keys()].filter((i) => (load[i] as number) > 0);
  const alternatives = problem.offers.filter((_, at) =>
    items.every((i) => problem.items[i]?.allowed[at] === 1),
  );
  const tasks = items.reduce((sum, i) => sum + (load[i] as number), 0) * count;
  return {
    offer: chosen,
    count,
    load: loadOf(problem, load),
    zone,
    alternatives,
    why: `${tasks} pending tasks`,
  };
}

function loadOf(problem: Problem, load: Int32Array): Resources {
  const sum: Record<string, number> = {};
  problem.dimensions.forEach((dimension, d) => {
    const amount = problem.items.reduce(
      (total, item, i) => total + (load[i] as number) * (item.demand[d] as number),
      0,
    );
    if (amount > 0) sum[dimension] = amount;
  });
  return sum;
}
