import type { Host } from '../model/host.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import type { PlacementConstraint } from '../model/task.ts';
import { factsOf } from './attributes.ts';
import { canShareGpus, gpuUse } from './gpu.ts';
import { QueryError } from './query/error.ts';
import { matches, parseQuery } from './query/query.ts';

/** What a task asks of a host beyond room. */
export interface HostRules {
  /** The task's own group, which `distinctInstance` and a group's first member depend on. */
  readonly group: string;
  readonly pool?: string;
  readonly constraints: readonly PlacementConstraint[];
}

/**
 * Why the host cannot take the task now; empty when it can. The one decision of planner, claim and agent.
 * A host that takes no task at all, or is of another pool, is refused for that alone.
 * Without `rules` only state, room and ports decide.
 */
export function fits(
  host: Host,
  demand: Resources,
  hostPorts: readonly string[],
  rules?: HostRules,
): readonly string[] {
  if (host.state !== 'READY') return [`state ${host.state}`];
  if (rules?.pool !== undefined && rules.pool !== host.pool) return ['pool'];
  const reasons = roomRefusals(host, demand, hostPorts);
  if (rules === undefined || rules.constraints.length === 0) return reasons;
  const groups = Object.values(host.claims).map((claim) => claim.group);
  for (const constraint of rules.constraints) {
    if (!constraintHolds(host, groups, constraint, rules.group)) reasons.push(nameOfConstraint(constraint));
  }
  return reasons;
}

function roomRefusals(host: Host, demand: Resources, hostPorts: readonly string[]): string[] {
  const reasons: string[] = [];
  for (const dimension in demand) {
    const amount = amountOf(demand, dimension);
    if (amount > 0 && amount > amountOf(host.left, dimension)) reasons.push(dimension);
  }
  const gpu = amountOf(demand, 'gpu');
  if (gpu > 0 && !reasons.includes('gpu') && !canShareGpus(gpuUse(host).free, gpu)) reasons.push('gpu');
  for (const port of hostPorts) if (host.ports.includes(port)) reasons.push(`port ${port}`);
  return reasons;
}

/** How a constraint is called where refusals are counted. */
export function nameOfConstraint(constraint: PlacementConstraint): string {
  switch (constraint.type) {
    case 'distinctInstance':
      return 'constraint distinctInstance';
    case 'memberOf':
      return `constraint memberOf(${constraint.expression})`;
    case 'affinity':
    case 'antiAffinity':
      return `constraint ${constraint.type}(${constraint.group})`;
  }
}

/**
 * Whether a host carrying tasks of `groups` satisfies the constraint. Affinity looks at this host alone: that the first
 * member of a group may start anywhere needs the whole cluster, so only the planner can grant it.
 */
export function constraintHolds(
  host: Host,
  groups: readonly string[],
  constraint: PlacementConstraint,
  ownGroup: string,
): boolean {
  switch (constraint.type) {
    case 'distinctInstance':
      return !groups.includes(ownGroup);
    case 'affinity':
      return groups.includes(constraint.group);
    case 'antiAffinity':
      return !groups.includes(constraint.group);
    case 'memberOf':
      return memberOf(host, groups, constraint.expression);
  }
}

/** A request with an unreadable expression is refused at the door; one that got in matches no host. */
export function memberOf(host: Host, groups: readonly string[], expression: string): boolean {
  try {
    return matches(parseQuery(expression), factsOf(host, groups));
  } catch (error) {
    if (error instanceof QueryError) return false;
    throw error;
  }
}
