import type { Pool } from '../model/pool.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import type { DemandGroup } from './demandGroups.ts';
import type { Market } from './offers.ts';

/** The sentence for a group that no purchase can help: what it asks, which limit refuses it, and what to change. */
export function whyStuck(
  group: DemandGroup,
  pools: readonly Pool[],
  market: Market,
  refusals: ReadonlyMap<string, number>,
  nowMs: number,
): string {
  const asks = describe(group.spec.demand);
  const wanted = group.spec.placement.pool;
  const open = pools.filter((pool) => wanted === undefined || pool.name === wanted);
  if (open.length === 0) {
    return wanted === undefined
      ? 'no pool can hold it: the cluster has no pool: add one to the cluster'
      : `no pool can hold it: pool "${wanted}" does not exist in the cluster: create it, or name another pool`;
  }
  const offers = market.offers.filter(({ pool }) => open.includes(pool));
  const names = open.map(({ name }) => `"${name}"`).join(', ');
  if (offers.length === 0) {
    if (market.exhausted > 0 && market.retryAt !== undefined) {
      const seconds = Math.max(1, Math.ceil((market.retryAt - nowMs) / 1000));
      return `EC2 has none of the types that pool ${names} allows: tried again in ${seconds} s; allow more types or zones to have a fallback`;
    }
    return `pool ${names} allows no instance type that exists (${patterns(open)}, at most ${hostLimit(open)} vCPU a host): correct its instanceTypes or raise maxHostVcpus`;
  }
  const rules = [...refusals].filter(([reason]) => !(reason in group.spec.demand));
  const byRoom = [...refusals.keys()].filter((reason) => reason in group.spec.demand);
  const [rule] = rules.sort(([, a], [, b]) => b - a);
  if (rule !== undefined && byRoom.length === 0) {
    return `no new host of pool ${names} would satisfy ${rule[0]}: change the constraint, or let the pool buy such hosts`;
  }
  const largest = byRoom.map(
    (dimension) =>
      `${amountOfText(dimension, Math.max(0, ...offers.map(({ type }) => amountOf(type.capacity, dimension))))}`,
  );
  return `pool ${names} can never hold it: it asks ${asks}; no type allowed (${patterns(open)}, at most ${hostLimit(open)} vCPU a host) has that much, the most is ${largest.join(', ')}: allow larger types or raise maxHostVcpus`;
}

export const describe = (resources: Resources): string =>
  Object.entries(resources)
    .filter(([, amount]) => amount > 0)
    .map(([dimension, amount]) => amountOfText(dimension, amount))
    .join(', ');

export function amountOfText(dimension: string, amount: number): string {
  switch (dimension) {
    case 'cpu':
      return `${round(amount / 1024)} vCPU`;
    case 'memory':
      return `${amount} MiB memory`;
    case 'gpu':
      return `${round(amount / 1000)} GPU`;
    case 'eni':
      return `${amount} network interfaces`;
    default:
      return `${amount} ${dimension.replace(/^custom:/, '')}`;
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

const patterns = (pools: readonly Pool[]): string =>
  [...new Set(pools.flatMap(({ instanceTypes }) => instanceTypes))].slice(0, 4).join(' ');

const hostLimit = (pools: readonly Pool[]): number =>
  Math.max(0, ...pools.map(({ maxHostVcpus }) => maxHostVcpus));
