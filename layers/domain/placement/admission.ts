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
  readonly #fixed: readonly string[] = [];
  readonly #volatile: readonly string[] = [];
  /** Tasks by row of each group that must not be, or must be, on the host. */
  readonly #apart: readonly Int32Array[] = [];
  readonly #beside: readonly { readonly group: string; readonly counts: Int32Array }[] = [];
  /** Nothing but room and devices decides. */
  readonly #plain: boolean;
  /** Room alone decides on hosts that may ever take the class. */
  readonly onlyRoom: boolean;

  constructor(table: HostTable, cls: TaskClass) {
    this.#table = table;
    this.#cls = cls;
    const { spec } = cls;
    this.#gpu = amountOf(spec.demand, 'gpu');
    this.#plain = spec.placement.constraints.length === 0 && spec.hostPorts.length === 0;
    this.onlyRoom = this.#plain && this.#gpu === 0;
    if (spec.placement.constraints.length === 0) return;
    const expressions: string[] = [];
    const apart: Int32Array[] = [];
    const beside: { group: string; counts: Int32Array }[] = [];
    for (const constraint of spec.placement.constraints) {
      if (constraint.type === 'memberOf') expressions.push(constraint.expression);
      else if (constraint.type === 'distinctInstance') apart.push(table.groupCounts(spec.group));
      else if (constraint.type === 'antiAffinity') apart.push(table.groupCounts(constraint.group));
      else beside.push({ group: constraint.group, counts: table.groupCounts(constraint.group) });
    }
    this.#apart = apart;
    this.#beside = beside;
    this.#fixed = expressions.filter((expression) => !looksAtTasks(expression));
    this.#volatile = expressions.filter(looksAtTasks);
  }

  /** Whether pool and attributes leave every row open. */
  get anyRow(): boolean {
    return this.#cls.spec.placement.pool === undefined && this.#fixed.length === 0;
  }

  ofPool(row: number): boolean {
    const { pool } = this.#cls.spec.placement;
    return pool === undefined || this.#table.hosts[row]?.pool === pool;
  }

  /** What holds for the whole pass: pool and attributes. */
  mayEver(row: number): boolean {
    return this.ofPool(row) && this.#fixed.every((expression) => this.#table.matches(row, expression));
  }

  /** What changes as the pass places tasks, besides room: devices, ports and neighbours. */
  now(row: number): boolean {
    if (this.#gpu > 0 && !canShareGpus(this.#table.gpusOf(row), this.#gpu)) return false;
    return this.neighboursAllow(row);
  }

  /** Ports and the tasks on the host; neither room nor devices. */
  neighboursAllow(row: number): boolean {
    if (this.#plain) return true;
    for (const counts of this.#apart) if ((counts[row] as number) > 0) return false;
    for (const { group, counts } of this.#beside)
      if (counts[row] === 0 && !this.#startsGroup(group)) return false;
    for (const port of this.#cls.spec.hostPorts) if (this.#table.portTaken(row, port)) return false;
    return this.#volatile.every((expression) => this.#table.matches(row, expression));
  }

  /** The first member of a group that wants to be together may start anywhere. */
  #startsGroup(group: string): boolean {
    return group === this.#cls.spec.group && this.#table.groupTotal(group) === 0;
  }

  /** Every reason the row refuses the class for, in `fits`'s words; the row's state is the caller's matter. */
  refusals(row: number): string[] {
    if (!this.ofPool(row)) return ['pool'];
    const lacking: string[] = [];
    this.#cls.dimensions.forEach((_, i) => {
      if (this.#table.lack(row, this.#cls, i) > 0) lacking.push(this.#table.dimensionOf(this.#cls, i));
    });
    return [...lacking, ...this.ruleRefusals(row)];
  }

  /** The reasons that are not a lack of some dimension. */
  ruleRefusals(row: number): string[] {
    if (!this.ofPool(row)) return ['pool'];
    const reasons: string[] = [];
    const enoughGpu =
      this.#gpu > 0 && this.#gpu <= this.#table.gpusOf(row).reduce((sum, free) => sum + free, 0);
    if (enoughGpu && !canShareGpus(this.#table.gpusOf(row), this.#gpu)) reasons.push('gpu');
    if (this.#plain) return reasons;
    const { hostPorts, group, placement } = this.#cls.spec;
    for (const port of hostPorts) if (this.#table.portTaken(row, port)) reasons.push(`port ${port}`);
    for (const constraint of placement.constraints) {
      const count = (of: string): number => this.#table.groupCounts(of)[row] as number;
      const refused =
        (constraint.type === 'memberOf' && !this.#table.matches(row, constraint.expression)) ||
        (constraint.type === 'distinctInstance' && count(group) > 0) ||
        (constraint.type === 'antiAffinity' && count(constraint.group) > 0) ||
        (constraint.type === 'affinity' &&
          count(constraint.group) === 0 &&
          !this.#startsGroup(constraint.group));
      if (refused) reasons.push(nameOfConstraint(constraint));
    }
    return reasons;
  }
}
