import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs';
import { QueryError } from '../../layers/domain/placement/query/error.ts';
import { matches, parseQuery, type Query } from '../../layers/domain/placement/query/query.ts';
import { invalidParameter } from './errors.ts';
import type { Host } from './host.ts';
import type { Demand, Tags } from './records.ts';
import type { ClusterIndex } from './store.ts';

/** A strategy with its field in one spelling. */
export type Strategy =
  | { readonly type: 'random' }
  | { readonly type: 'binpack'; readonly field: 'cpu' | 'memory' }
  | { readonly type: 'spread'; readonly valueOf: (host: Host) => string };

/** What one task asks of its host. */
export interface Wish {
  readonly demand: Demand;
  readonly group: string;
  readonly distinctInstance: boolean;
  readonly memberOf: readonly Query[];
  readonly requires: Tags;
  readonly strategies: readonly Strategy[];
}

/** ECS quotas of one request. */
const MAX_CONSTRAINTS = 10;
const MAX_STRATEGIES = 5;

export function parseConstraints(
  constraints: readonly PlacementConstraint[],
): Pick<Wish, 'distinctInstance' | 'memberOf'> {
  if (constraints.length > MAX_CONSTRAINTS) {
    throw invalidParameter(`A task has at most ${MAX_CONSTRAINTS} placement constraints.`);
  }
  const memberOf: Query[] = [];
  let distinctInstance = false;
  for (const { type, expression } of constraints) {
    if (type === 'memberOf') memberOf.push(parseFilter(expression ?? ''));
    else if (type === 'distinctInstance') {
      if (expression !== undefined && expression !== '') {
        throw invalidParameter('A distinctInstance constraint has no expression.');
      }
      distinctInstance = true;
    } else throw invalidParameter(`Invalid placement constraint type '${type ?? ''}'.`);
  }
  return { distinctInstance, memberOf };
}

/** Throws InvalidParameterException with what is wrong in the expression, where, and what to write instead. */
export function parseFilter(expression: string): Query {
  try {
    return parseQuery(expression);
  } catch (error) {
    if (error instanceof QueryError) throw invalidParameter(`Invalid expression: ${error.message}`);
    throw error;
  }
}

export function parseStrategies(strategies: readonly PlacementStrategy[]): readonly Strategy[] {
  if (strategies.length > MAX_STRATEGIES) {
    throw invalidParameter(`A request has at most ${MAX_STRATEGIES} placement strategies.`);
  }
  return strategies.map(({ type, field }) => {
    if (type === 'random') return { type };
    if (type === 'binpack') {
      const name = (field ?? '').toLowerCase();
      if (name !== 'cpu' && name !== 'memory') {
        throw invalidParameter('The binpack strategy has field cpu or memory.');
      }
      return { type, field: name };
    }
    if (type === 'spread') return { type, valueOf: spreadValue(field ?? '') };
    throw invalidParameter(`Invalid placement strategy type '${type ?? ''}'.`);
  });
}

function spreadValue(field: string): (host: Host) => string {
  if (field === '' || field === 'instanceId' || field === 'host') return (host) => host.ec2InstanceId;
  const name = field.startsWith('attribute:') ? field.slice('attribute:'.length) : field;
  return (host) => host.attributes[name] ?? '';
}

const meetsRequirements = (host: Host, requires: Tags): boolean => {
  for (const [name, value] of Object.entries(requires)) {
    const has = host.attributes[name];
    if (has === undefined || (value !== '' && has !== value)) return false;
  }
  return true;
};

/** Why the host cannot take the task, in ECS's words; undefined when it can. */
export function refusal(host: Host, wish: Wish): string | undefined {
  if (!host.agentConnected) return 'AGENT';
  if (!wish.memberOf.every((query) => matches(query, host)))
    return 'MemberOf placement constraint unsatisfied.';
  if (wish.distinctInstance && host.tasksOfGroup(wish.group) > 0) {
    return 'DistinctInstance placement constraint unsatisfied.';
  }
  if (!meetsRequirements(host, wish.requires)) return 'ATTRIBUTE';
  return host.shortage(wish.demand);
}

/** ACTIVE hosts that may satisfy the constraints: only the named ones when an expression names instances. */
export function candidates(index: ClusterIndex, wish: Wish): Host[] {
  const isActive = (host: Host): boolean => host.record.status === 'ACTIVE';
  const pinned = wish.memberOf.map((query) => query.instanceIds).find((ids) => ids !== undefined);
  if (pinned === undefined) return [...index.hosts.values()].filter(isActive);
  const hosts: Host[] = [];
  for (const instanceId of pinned) {
    const host = index.hosts.get(index.hostIdByInstance.get(instanceId) ?? '');
    if (host !== undefined && isActive(host)) hosts.push(host);
  }
  return hosts;
}

/**
 * The host ECS would choose: strategies narrow the fitting hosts down in their order, chance decides among what is left.
 * Spread evens out the tasks of the wish's group over the field's values. `draw` answers 0..n-1.
 */
export function choose(hosts: readonly Host[], wish: Wish, draw: (n: number) => number): Host | undefined {
  let left = hosts.filter(
    (host) => host.shortage(wish.demand) === undefined && refusal(host, wish) === undefined,
  );
  for (const strategy of wish.strategies) left = narrow(left, hosts, wish.group, strategy);
  return left[left.length > 1 ? draw(left.length) : 0];
}

function narrow(left: readonly Host[], all: readonly Host[], group: string, strategy: Strategy): Host[] {
  switch (strategy.type) {
    case 'random':
      return [...left];
    case 'binpack':
      return lowest(left, (host) => host.remaining[strategy.field]);
    case 'spread': {
      const counts = new Map<string, number>();
      for (const host of all) {
        const value = strategy.valueOf(host);
        counts.set(value, (counts.get(value) ?? 0) + host.tasksOfGroup(group));
      }
      return lowest(left, (host) => counts.get(strategy.valueOf(host)) ?? 0);
    }
  }
}

function lowest(hosts: readonly Host[], amountOf: (host: Host) => number): Host[] {
  let best = Number.POSITIVE_INFINITY;
  let found: Host[] = [];
  for (const host of hosts) {
    const amount = amountOf(host);
    if (amount < best) {
      best = amount;
      found = [];
    }
    if (amount === best) found.push(host);
  }
  return found;
}
