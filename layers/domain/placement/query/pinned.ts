import type { Expression } from './expression.ts';

/**
 * The only EC2 instances an expression can hold for, so that a launch pinned to a few hosts does not look at thousands.
 * Undefined when the expression does not bound them. A superset: the expression must still be evaluated on each.
 */
export function pinnedInstances(expression: Expression): ReadonlySet<string> | undefined {
  switch (expression.kind) {
    case 'equals':
      return expression.subject.kind === 'ec2InstanceId' ? new Set([expression.value]) : undefined;
    case 'in':
      return expression.subject.kind === 'ec2InstanceId' ? expression.values : undefined;
    case 'and':
      return intersection(expression.parts.map(pinnedInstances));
    case 'or':
      return union(expression.parts.map(pinnedInstances));
    default:
      return undefined;
  }
}

function intersection(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  let result: ReadonlySet<string> | undefined;
  for (const set of sets) {
    if (set === undefined) continue;
    const bound: ReadonlySet<string> | undefined = result;
    result = bound === undefined ? set : new Set([...bound].filter((id) => set.has(id)));
  }
  return result;
}

function union(sets: readonly (ReadonlySet<string> | undefined)[]): ReadonlySet<string> | undefined {
  const result = new Set<string>();
  for (const set of sets) {
    if (set === undefined) return undefined;
    for (const id of set) result.add(id);
  }
  return result;
}
