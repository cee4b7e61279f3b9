import { amountOf } from '../model/resources.ts';
import type { Fleet, FleetHosts, FleetItem, FleetOffer } from './fleet.ts';
import type { HeldBack, Problem } from './problem.ts';
import type { Slots } from './slots.ts';

export type FleetSolver = (items: readonly FleetItem[], offers: readonly FleetOffer[]) => Fleet;

/** Hosts must have at least this share of the largest allowed, tried in turn when a pool has few slots left. */
const SHARES_OF_LARGEST = [0, 0.25, 0.5, 1];

/**
 * Solves the problem within the pools' host limits: when the cheapest fleet has too many hosts, larger hosts are tried
 * before tasks are held back; then the least urgent wait, with the limit named.
 */
export function solveWithinLimits(
  problem: Problem,
  slots: Slots,
  solve: FleetSolver,
): { readonly hosts: readonly FleetHosts[]; readonly heldBack: readonly HeldBack[] } {
  let fleet: Fleet | undefined;
  for (const share of SHARES_OF_LARGEST) {
    const tried = solve(onlyLarge(problem, slots, share), problem.fleetOffers);
    if (fleet === undefined || excess(problem, tried, slots) < excess(problem, fleet, slots)) fleet = tried;
    if (excess(problem, fleet, slots) === 0) break;
  }
  const { kept, unheld } = trim(problem, fleet ?? { hosts: [], unheld: new Int32Array(0), price: 0 }, slots);
  return { hosts: kept, heldBack: heldBackBy(problem, unheld, slots) };
}

/** Hosts beyond the pools' slots, plus tasks that found no offer. */
function excess(problem: Problem, fleet: Fleet, slots: Slots): number {
  const perPool = new Map<string, number>();
  for (const { offer, count } of fleet.hosts) {
    const pool = problem.offers[offer]?.pool.name ?? '';
    perPool.set(pool, (perPool.get(pool) ?? 0) + count);
  }
  let over = fleet.unheld.reduce((sum, count) => sum + count, 0);
  for (const [pool, count] of perPool) over += Math.max(0, count - slots.of(pool));
  return over;
}

/** Items that may use only offers with `share` of the largest host their pool offers; pools without a slot drop out. */
function onlyLarge(problem: Problem, slots: Slots, share: number): FleetItem[] {
  const largest = new Map<string, number>();
  for (const { pool, type } of problem.offers) {
    largest.set(pool.name, Math.max(largest.get(pool.name) ?? 0, amountOf(type.capacity, 'cpu')));
  }
  const open = problem.offers.map(
    ({ pool, type }) =>
      slots.of(pool.name) > 0 && amountOf(type.capacity, 'cpu') >= share * (largest.get(pool.name) ?? 0),
  );
  return problem.items.map((item) => ({
    ...item,
    allowed: item.allowed.map((yes, at) => (yes === 1 && open[at] === true ? 1 : 0)),
  }));
}

/** Keeps the hosts whose tasks are most urgent, as many as each pool has slots for. */
function trim(problem: Problem, fleet: Fleet, slots: Slots): { kept: FleetHosts[]; unheld: Int32Array } {
  const unheld = Int32Array.from(fleet.unheld);
  const urgency = (hosts: FleetHosts): number => {
    let highest = Number.NEGATIVE_INFINITY;
    hosts.load.forEach((each, i) => {
      if (each > 0) highest = Math.max(highest, problem.groups[i]?.spec.priority ?? 0);
    });
    return highest;
  };
  const kept: FleetHosts[] = [];
  for (const hosts of [...fleet.hosts].sort((a, b) => urgency(b) - urgency(a))) {
    const pool = problem.offers[hosts.offer]?.pool.name ?? '';
    const count = Math.min(hosts.count, slots.of(pool));
    slots.take(pool, count);
    if (count > 0) kept.push({ ...hosts, count });
    hosts.load.forEach((each, i) => {
      unheld[i] = (unheld[i] ?? 0) + each * (hosts.count - count);
    });
  }
  return { kept, unheld };
}

function heldBackBy(problem: Problem, unheld: Int32Array, slots: Slots): HeldBack[] {
  const held: HeldBack[] = [];
  problem.groups.forEach((group, i) => {
    const count = unheld[i] ?? 0;
    if (count === 0) return;
    const pools = [
      ...new Set(
        problem.offers.filter((_, at) => problem.items[i]?.allowed[at] === 1).map(({ pool }) => pool),
      ),
    ].filter(({ name }) => slots.of(name) <= 0);
    const limits = pools.map(({ name, maxHosts }) => `pool "${name}" is at its limit of ${maxHosts} hosts`);
    held.push({
      tasks: group.tasks.slice(group.tasks.length - count),
      detail: `${limits.join(' and ')}: it waits for room there; raise maxHosts to have it sooner`,
    });
  });
  return held;
}
