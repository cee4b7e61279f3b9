import { amountOf } from '../model/resources.ts';
import { nameOfConstraint } from './fits.ts';
import { canShareGpus } from './gpu.ts';
import { type HostTable, looksAtTasks } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

/**
 * `fits` over a table's rows: the same decision, split into what cannot change within a pass and what can, so that a
 * search asks the first once. A property test holds the two together.
 */
export class Admission {
  readonly #table: HostTable;
  readonly #cls: TaskClass;
  readonly #gpu: number;
  readonly #fixed: readonly string[];
  readonly #volatile: readonly string[];

  constructor(table: HostTable, cls: TaskClass) {
    this.#table = table;
    this.#cls = cls;
    this.#gpu = amountOf(cls.spec.demand, 'gpu');
    const expressions: string[] = [];
    for (const constraint of cls.spec.placement.constraints) {
      if (constraint.type === 'memberOf') expressions.push(constraint.expression);
    }
    this.#fixed = expressions.filter((expression) => !looksAtTasks(expression));
    this.#volatile = expressions.filter(looksAtTasks);
  }

  /** What holds for the whole pass: pool and attributes. */
  mayEver(row: number): boolean {
    const { pool } = this.#cls.spec.placement;
    if (pool !== undefined && this.#table.hosts[row]?.pool !== pool) return false;
    return this.#fixed.every((expression) => this.#table.matches(row, expression));
  }

  /** What changes as the pass places tasks: room, devices, ports and neighbours. */
  now(row: number): boolean {
    if (!this.#table.hasRoom(row, this.#cls)) return false;
    if (this.#gpu > 0 && !canShareGpus(this.#table.gpusOf(row), this.#gpu)) return false;
    const { hostPorts, placement } = this.#cls.spec;
    for (const port of hostPorts) if (this.#table.portTaken(row, port)) return false;
    if (placement.constraints.length === 0) return true;
    return this.#neighboursAllow(row) && this.#volatile.every((each) => this.#table.matches(row, each));
  }

  #neighboursAllow(row: number): boolean {
    const { group, placement } = this.#cls.spec;
    for (const constraint of placement.constraints) {
      switch (constraint.type) {
        case 'memberOf':
          break;
        case 'distinctInstance':
          if (this.#table.groupCount(row, group) > 0) return false;
          break;
        case 'antiAffinity':
          if (this.#table.groupCount(row, constraint.group) > 0) return false;
          break;
        case 'affinity':
          if (this.#table.groupCount(row, constraint.group) === 0 && !this.startsGroup(constraint.group))
            return false;
      }
    }
    return true;
  }

  /** The first member of a group that wants to be together may start anywhere. */
  startsGroup(group: string): boolean {
    return group === this.#cls.spec.group && this.#table.groupTotal(group) === 0;
  }

  /** Every reason the row refuses the class for, in `fits`'s words; the row's state is the caller's matter. */
  refusals(row: number): string[] {
    const { pool, constraints } = this.#cls.spec.placement;
    if (pool !== undefined && this.#table.hosts[row]?.pool !== pool) return ['pool'];
    const reasons = this.#roomRefusals(row);
    for (const constraint of constraints) {
      const { group } = this.#cls.spec;
      const refused =
        (constraint.type === 'memberOf' && !this.#table.matches(row, constraint.expression)) ||
        (constraint.type === 'distinctInstance' && this.#table.groupCount(row, group) > 0) ||
        (constraint.type === 'antiAffinity' && this.#table.groupCount(row, constraint.group) > 0) ||
        (constraint.type === 'affinity' &&
          this.#table.groupCount(row, constraint.group) === 0 &&
          !this.startsGroup(constraint.group));
      if (refused) reasons.push(nameOfConstraint(constraint));
    }
    return reasons;
  }

  #roomRefusals(row: number): string[] {
    const reasons: string[] = [];
    const { dimensions, amounts, spec } = this.#cls;
    dimensions.forEach((dimension, i) => {
      const left = this.#table.left[row * this.#table.dimensions.length + dimension] as number;
      if ((amounts[i] as number) > left) reasons.push(this.#table.dimensions[dimension] ?? '');
    });
    const shares = this.#gpu > 0 && !reasons.includes('gpu');
    if (shares && !canShareGpus(this.#table.gpusOf(row), this.#gpu)) reasons.push('gpu');
    for (const port of spec.hostPorts) if (this.#table.portTaken(row, port)) reasons.push(`port ${port}`);
    return reasons;
  }
}
