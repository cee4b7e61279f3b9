import type { Task, TaskSpec } from '../model/task.ts';

/** Tasks that every host answers alike: one search serves them all. */
export interface TaskClass {
  readonly index: number;
  /** Of any member; what placement looks at is the same for all. */
  readonly spec: TaskSpec;
  /** Dimensions the class takes, as indexes into the table's, and how much. */
  readonly dimensions: Int32Array;
  readonly amounts: Float64Array;
  /** Tasks of the class in this pass that are still to be tried. */
  remaining: number;
}

export interface Queued {
  readonly task: Task;
  readonly cls: TaskClass;
}

export interface Classes {
  readonly dimensions: readonly string[];
  readonly classes: readonly TaskClass[];
  /** Class by position in the tasks given. */
  readonly classOf: readonly TaskClass[];
}

/** Groups tasks by everything that placement reads of them, in the order of first appearance. */
export function classify(tasks: readonly Task[]): Classes {
  const dimensions: string[] = [];
  const dimensionIndex = new Map<string, number>();
  const classes: TaskClass[] = [];
  const byKey = new Map<string, TaskClass>();
  const classOf: TaskClass[] = [];
  for (const task of tasks) {
    const key = classKey(task.spec);
    let found = byKey.get(key);
    if (found === undefined) {
      found = { index: classes.length, spec: task.spec, remaining: 0, ...vectorOf(task.spec, indexOf) };
      classes.push(found);
      byKey.set(key, found);
    }
    found.remaining += 1;
    classOf.push(found);
  }
  return { dimensions, classes, classOf };

  function indexOf(dimension: string): number {
    let index = dimensionIndex.get(dimension);
    if (index === undefined) {
      index = dimensions.length;
      dimensionIndex.set(dimension, index);
      dimensions.push(dimension);
    }
    return index;
  }
}

function vectorOf(
  spec: TaskSpec,
  indexOf: (dimension: string) => number,
): { dimensions: Int32Array; amounts: Float64Array } {
  const taken = Object.entries(spec.demand).filter(([, amount]) => amount > 0);
  return {
    dimensions: Int32Array.from(taken, ([dimension]) => indexOf(dimension)),
    amounts: Float64Array.from(taken, ([, amount]) => amount),
  };
}

/** The group matters only to a task whose own rules look at groups. */
function classKey(spec: TaskSpec): string {
  const { placement, demand, hostPorts } = spec;
  let key = `${placement.pool ?? ''}|`;
  // Unsorted: the same demand in another order is a class of its own, which costs a search and changes no decision.
  for (const dimension in demand) {
    const amount = demand[dimension] ?? 0;
    if (amount > 0) key += `${dimension}=${amount},`;
  }
  if (hostPorts.length > 0) key += `|${hostPorts.join(',')}`;
  if (placement.constraints.length === 0 && placement.strategies.length === 0) return key;
  return `${key}|${JSON.stringify(placement.constraints)}|${JSON.stringify(placement.strategies)}|${spec.group}`;
}
