import type { Host } from '../model/host.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { PlacementConstraint, Task, TaskSpec } from '../model/task.ts';
import { fits } from '../placement/fits.ts';
import type { LearnedAttributes } from './learned.ts';
import { hostOf, type PoolOffer } from './offers.ts';

/** Tasks that capacity planning treats alike, most urgent first. */
export interface DemandGroup {
  readonly spec: TaskSpec;
  readonly tasks: Task[];
  /** The zone its hosts are bought in; undefined when any will do. */
  readonly zone: string | undefined;
}

const ZONE_FIELDS = new Set(['zone', 'attribute:ecs.availability-zone', 'ecs.availability-zone']);

const needsEvenZones = (spec: TaskSpec): boolean =>
  spec.placement.strategies.some(
    (strategy) =>
      strategy.type === 'spread' && strategy.maxSkew !== undefined && ZONE_FIELDS.has(strategy.field),
  );

const namesZone = (spec: TaskSpec): boolean =>
  spec.placement.constraints.some(
    (constraint) => constraint.type === 'memberOf' && constraint.expression.includes('availability-zone'),
  );

/**
 * Groups tasks by all that decides which hosts may be bought for them. A task that must be spread evenly over zones, or
 * names zones, is given the one with fewest of its group, so that what is bought is where the rule will let it run.
 */
export function demandGroups(
  tasks: readonly Task[],
  snapshot: Snapshot,
  offers: readonly PoolOffer[],
  learned: LearnedAttributes,
): DemandGroup[] {
  const groups = new Map<string, DemandGroup>();
  const zones = new ZoneChooser(snapshot.hosts, offers, learned);
  for (const task of tasks) {
    const key = keyOf(task.spec);
    const zone = needsEvenZones(task.spec) || namesZone(task.spec) ? zones.choose(key, task.spec) : undefined;
    const group = groups.get(`${key}|${zone ?? ''}`);
    if (group === undefined) groups.set(`${key}|${zone ?? ''}`, { spec: task.spec, tasks: [task], zone });
    else group.tasks.push(task);
  }
  return [...groups.values()];
}

/** Deals zones to tasks, fewest of the group first, among those in which some offer would take the task. */
class ZoneChooser {
  readonly #hosts: readonly Host[];
  readonly #offers: readonly PoolOffer[];
  readonly #learned: LearnedAttributes;
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #possible = new Map<string, readonly string[]>();

  constructor(hosts: readonly Host[], offers: readonly PoolOffer[], learned: LearnedAttributes) {
    this.#hosts = hosts;
    this.#offers = offers;
    this.#learned = learned;
  }

  choose(key: string, spec: TaskSpec): string | undefined {
    let possible = this.#possible.get(key);
    if (possible === undefined) {
      possible = this.#zonesOf(spec);
      this.#possible.set(key, possible);
    }
    if (possible.length === 0) return undefined;
    const counts = this.#counts.get(spec.group) ?? countByZone(this.#hosts, spec.group);
    this.#counts.set(spec.group, counts);
    const zone = possible.reduce((least, each) =>
      (counts.get(each) ?? 0) < (counts.get(least) ?? 0) ? each : least,
    );
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
    return zone;
  }

  #zonesOf(spec: TaskSpec): string[] {
    const all = [...new Set(this.#offers.flatMap((offer) => offer.zones))].sort();
    return all.filter((zone) => {
      const group: DemandGroup = { spec, tasks: [], zone };
      return this.#offers.some(
        (offer) => newHostRefusals(group, offer, this.#learned.get(offer.pool.name) ?? {}).length === 0,
      );
    });
  }
}

function countByZone(hosts: readonly Host[], group: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const host of hosts) {
    const count = Object.values(host.claims).filter((claim) => claim.group === group).length;
    if (count > 0) counts.set(host.zone, (counts.get(host.zone) ?? 0) + count);
  }
  return counts;
}

function keyOf(spec: TaskSpec): string {
  const demand = Object.entries(spec.demand)
    .filter(([, amount]) => amount > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const { pool, constraints, strategies } = spec.placement;
  const group = constraints.length > 0 || needsEvenZones(spec) ? spec.group : '';
  return JSON.stringify([
    demand,
    spec.hostPorts,
    pool ?? '',
    constraints,
    needsEvenZones(spec) ? strategies : [],
    group,
  ]);
}

/** What no two tasks on one host may share. */
export function tokensOf(spec: TaskSpec): string[] {
  const tokens = spec.hostPorts.map((port) => `port ${port}`);
  const alone = ({ type, ...rest }: PlacementConstraint): boolean =>
    type === 'distinctInstance' || (type === 'antiAffinity' && 'group' in rest && rest.group === spec.group);
  if (spec.placement.constraints.some(alone)) tokens.push(`group ${spec.group}`);
  return tokens;
}

/** Every group asks every offer, so the host an offer would be is made once. */
const emptyHosts = new WeakMap<PoolOffer, Map<string, Host>>();
const NOTHING_LEARNED = {};

function emptyHost(offer: PoolOffer, zone: string, learned: Readonly<Record<string, string>>): Host {
  if (Object.keys(learned).length > 0) return hostOf(offer, zone, learned);
  const byZone = emptyHosts.get(offer) ?? new Map<string, Host>();
  emptyHosts.set(offer, byZone);
  const host = byZone.get(zone) ?? hostOf(offer, zone, NOTHING_LEARNED);
  byZone.set(zone, host);
  return host;
}

/**
 * Why a new, empty host of the offer could not take the group in any zone the group may use; empty when it could.
 * A group's first member may start anywhere; any other wish to be beside someone no empty host can grant.
 */
export function newHostRefusals(
  group: DemandGroup,
  offer: PoolOffer,
  learned: Readonly<Record<string, string>>,
): readonly string[] {
  const { spec } = group;
  const constraints = spec.placement.constraints.filter(
    (constraint) => constraint.type !== 'affinity' || constraint.group !== spec.group,
  );
  const zones = group.zone === undefined ? offer.zones : offer.zones.filter((zone) => zone === group.zone);
  if (zones.length === 0) return [`zone ${group.zone ?? ''}`];
  let refusals: readonly string[] = [];
  for (const zone of namesZone(spec) ? zones : zones.slice(0, 1)) {
    const { pool } = spec.placement;
    refusals = fits(emptyHost(offer, zone, learned), spec.demand, spec.hostPorts, {
      group: spec.group,
      constraints,
      ...(pool === undefined ? {} : { pool }),
    });
    if (refusals.length === 0) return refusals;
  }
  return refusals;
}
