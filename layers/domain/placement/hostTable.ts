import type { Host } from '../model/host.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import { factsOf, spreadDomain } from './attributes.ts';
import { balanceOf } from './balance.ts';
import { type GpuShare, giveBackGpus, gpuUse, takeGpus } from './gpu.ts';
import { penaltyOf } from './penalty.ts';
import { QueryError } from './query/error.ts';
import { matches, parseQuery } from './query/query.ts';
import { SpreadCounter } from './spreadCounter.ts';
import type { TaskClass } from './taskClass.ts';

/** What the tasks of a pass look at; the table keeps nothing else. */
export interface Interest {
  readonly dimensions: readonly string[];
  /** Asked by the pass's tasks in all, by dimension. */
  readonly demand: Float64Array;
  readonly ports: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** Whether an expression looks at the tasks on a host. */
  readonly looksAtTasks: boolean;
}

/**
 * Hosts as columns of numbers, with what this pass has taken of them. Rows are host positions; `log` lists every row
 * that changed, in order, so that a search can catch up with what happened since it last looked.
 */
export class HostTable {
  readonly hosts: readonly Host[];
  readonly dimensions: readonly string[];
  readonly left: Float64Array;
  /** 1 / capacity, 0 where there is none: what is left times this is a share. */
  readonly inverse: Float64Array;
  /** What counts against each row whatever the task (`penaltyOf`); undefined when nothing does against any. */
  penalty: Float64Array | undefined;
  readonly log: number[] = [];
  /** Room for the rows of one search, used from one call to the next by nobody. */
  get scratch(): Int32Array {
    this.#scratch ??= new Int32Array(this.hosts.length);
    return this.#scratch;
  }
  #scratch: Int32Array | undefined;
  /** Rows of hosts that take tasks, and of hosts that will. */
  readonly ready: Int32Array;
  readonly booting: Int32Array;
  /** Position in the log of each row's last change; kept from the first search that follows the log. */
  lastChange: Int32Array | undefined;
  readonly #ports = new Map<string, Uint8Array>();
  readonly #groups = new Map<string, Int32Array>();
  readonly #groupTotals = new Map<string, number>();
  readonly #gpus: (number[] | undefined)[] | undefined;
  /** Groups placed in this pass by row; kept only when an expression looks at them. */
  readonly #placedGroups: Map<number, string[]> | undefined;
  readonly #expressions = new Map<string, Uint8Array>();
  /** By dimension: what hosts have given to tasks, and what the pass's tasks ask. */
  readonly #demand: Float64Array;
  readonly #nowMs: number;
  #balance: Float64Array | undefined;
  readonly #spreads = new Map<string, Map<string, SpreadCounter>>();

  constructor(hosts: readonly Host[], interest: Interest, nowMs: number) {
    this.hosts = hosts;
    this.#nowMs = nowMs;
    this.dimensions = interest.dimensions;
    this.#placedGroups = interest.looksAtTasks ? new Map() : undefined;
    const size = hosts.length * interest.dimensions.length;
    this.left = new Float64Array(size);
    this.inverse = new Float64Array(size);
    this.#demand = Float64Array.from(interest.demand);
    const ready = new Int32Array(hosts.length);
    const booting = new Int32Array(hosts.length);
    const counts = this.#read(interest.dimensions.map(readerOf), ready, booting);
    this.ready = ready.subarray(0, counts.ready);
    this.booting = booting.subarray(0, counts.booting);
    for (const port of interest.ports) {
      this.#ports.set(
        port,
        Uint8Array.from(hosts, (host) => (host.ports.includes(port) ? 1 : 0)),
      );
    }
    if (interest.groups.size > 0) this.#countGroups(interest.groups);
    this.#gpus = interest.dimensions.includes('gpu') ? hosts.map(occupied) : undefined;
  }

  /** One look at each host: with thousands of them, a pass for one task is mostly this. */
  #read(
    readers: readonly Reader[],
    ready: Int32Array,
    booting: Int32Array,
  ): { readonly ready: number; readonly booting: number } {
    let [readyCount, bootingCount, at] = [0, 0, 0];
    for (let row = 0; row < this.hosts.length; row += 1) {
      const host = this.hosts[row] as Host;
      const { left, capacity, state } = host;
      if (state === 'READY') {
        ready[readyCount] = row;
        readyCount += 1;
      } else if (state === 'BOOTING') {
        booting[bootingCount] = row;
        bootingCount += 1;
      }
      if (
        host.agentSeenAt !== undefined ||
        host.pressure !== undefined ||
        host.launchFailures !== undefined
      ) {
        const penalty = penaltyOf(host, this.#nowMs);
        if (penalty > 0) {
          this.penalty ??= new Float64Array(this.hosts.length);
          this.penalty[row] = penalty;
        }
      }
      for (let d = 0; d < readers.length; d += 1) {
        const read = readers[d] as Reader;
        const whole = read(capacity) ?? 0;
        const free = read(left) ?? 0;
        this.left[at] = free;
        this.#demand[d] = (this.#demand[d] as number) + Math.max(0, whole - free);
        this.inverse[at] = whole > 0 ? 1 / whole : 0;
        at += 1;
      }
    }
    return { ready: readyCount, booting: bootingCount };
  }

  #countGroups(groups: ReadonlySet<string>): void {
    for (const group of groups) {
      this.#groups.set(group, new Int32Array(this.hosts.length));
      this.#groupTotals.set(group, 0);
    }
    this.hosts.forEach((host, row) => {
      for (const id in host.claims) this.#addToGroup(row, host.claims[id]?.group ?? '', 1);
    });
  }

  #addToGroup(row: number, group: string, change: 1 | -1): void {
    const counts = this.#groups.get(group);
    if (counts === undefined) return;
    counts[row] = (counts[row] ?? 0) + change;
    this.#groupTotals.set(group, (this.#groupTotals.get(group) ?? 0) + change);
  }

  hasRoom(row: number, cls: TaskClass): boolean {
    const base = row * this.dimensions.length;
    const { dimensions, amounts } = cls;
    for (let i = 0; i < dimensions.length; i += 1) {
      if ((amounts[i] as number) > (this.left[base + (dimensions[i] as number)] as number)) return false;
    }
    return true;
  }

  /** See `balanceOf`; of everything that runs and waits. */
  balance(): Float64Array {
    this.#balance ??= balanceOf(this.#demand, this.inverse);
    return this.#balance;
  }

  /** Mean capacity of the hosts that have the dimension. */
  averageCapacity(): Float64Array {
    const width = this.dimensions.length;
    return Float64Array.from(this.dimensions, (_, d) => {
      let [sum, hosts] = [0, 0];
      for (let at = d; at < this.inverse.length; at += width) {
        const inverse = this.inverse[at] as number;
        if (inverse === 0) continue;
        sum += 1 / inverse;
        hosts += 1;
      }
      return hosts === 0 ? 0 : sum / hosts;
    });
  }

  /** Gives room back to the row, as when a task on it is stopped. */
  free(row: number, amounts: Float64Array, gpus: readonly GpuShare[]): void {
    const base = row * this.dimensions.length;
    for (let d = 0; d < amounts.length; d += 1) {
      this.left[base + d] = (this.left[base + d] as number) + (amounts[d] as number);
    }
    giveBackGpus(this.#gpus?.[row] ?? [], gpus);
    this.#note(row);
  }

  /** What the row lacks of the class's i-th dimension; not above zero when it has enough. */
  lack(row: number, cls: TaskClass, i: number): number {
    return (
      (cls.amounts[i] as number) -
      (this.left[row * this.dimensions.length + (cls.dimensions[i] as number)] as number)
    );
  }

  dimensionOf(cls: TaskClass, i: number): string {
    return this.dimensions[cls.dimensions[i] as number] ?? '';
  }

  gpusOf(row: number): readonly number[] {
    return this.#gpus?.[row] ?? [];
  }

  portTaken(row: number, port: string): boolean {
    return this.#ports.get(port)?.[row] === 1;
  }

  /** Tasks of the group by row; live. Only for groups of interest. */
  groupCounts(group: string): Int32Array {
    return this.#groups.get(group) ?? new Int32Array(this.hosts.length);
  }

  groupTotal(group: string): number {
    return this.#groupTotals.get(group) ?? 0;
  }

  /** Books the task on the row, or with -1 takes the last booking back; the caller has checked that it fits. */
  book(row: number, cls: TaskClass, group: string, sign: 1 | -1 = 1): void {
    const base = row * this.dimensions.length;
    const { dimensions, amounts, spec } = cls;
    for (let i = 0; i < dimensions.length; i += 1) {
      const at = base + (dimensions[i] as number);
      this.left[at] = (this.left[at] as number) - sign * (amounts[i] as number);
    }
    for (const port of spec.hostPorts) this.#ports.get(port)?.fill(sign === 1 ? 1 : 0, row, row + 1);
    const gpu = amountOf(spec.demand, 'gpu');
    if (gpu > 0) this.#bookGpus(row, gpu, sign);
    if (this.#groups.has(group)) {
      this.#addToGroup(row, group, sign);
      for (const counter of this.#spreads.get(group)?.values() ?? []) counter.add(row, sign);
    }
    if (this.#placedGroups !== undefined) noteGroup(this.#placedGroups, row, group, sign);
    this.#note(row);
  }

  /** Devices of every booking, so that the last ones can be taken back. */
  readonly #gpuBookings: GpuShare[][] = [];

  #bookGpus(row: number, gpu: number, sign: 1 | -1): void {
    const free = this.#gpus?.[row];
    if (free === undefined) return;
    if (sign === 1) this.#gpuBookings.push(takeGpus(free, gpu) ?? []);
    else giveBackGpus(free, this.#gpuBookings.pop() ?? []);
  }

  #note(row: number): void {
    if (this.lastChange !== undefined) this.lastChange[row] = this.log.length;
    this.log.push(row);
  }

  /** Positions of last changes, from now on. */
  followChanges(): Int32Array {
    this.lastChange ??= new Int32Array(this.hosts.length).fill(-1);
    return this.lastChange;
  }

  groupsOn(row: number): readonly string[] {
    const host = this.hosts[row];
    const claimed = host === undefined ? [] : Object.values(host.claims).map((claim) => claim.group);
    return [...claimed, ...(this.#placedGroups?.get(row) ?? [])];
  }

  /** Whether the row satisfies the expression; remembered unless the answer changes with the tasks on the host. */
  matches(row: number, expression: string): boolean {
    const host = this.hosts[row];
    if (host === undefined) return false;
    let answers = this.#expressions.get(expression);
    if (answers === undefined) {
      answers = new Uint8Array(this.hosts.length);
      this.#expressions.set(expression, answers);
    }
    const known = answers[row];
    if (known !== 0) return known === 2;
    const volatile = looksAtTasks(expression);
    const answer = evaluateOn(host, volatile ? this.groupsOn(row) : [], expression);
    if (!volatile) answers[row] = answer ? 2 : 1;
    return answer;
  }

  /** Counts of the group's tasks by domain, kept up to date by `book`. */
  spread(group: string, field: string): SpreadCounter {
    let byField = this.#spreads.get(group);
    if (byField === undefined) {
      byField = new Map();
      this.#spreads.set(group, byField);
    }
    let counter = byField.get(field);
    if (counter === undefined) {
      const counts = this.groupCounts(group);
      counter = new SpreadCounter(
        this.hosts.map((host) => spreadDomain(host, field)),
        counts,
      );
      byField.set(field, counter);
    }
    return counter;
  }
}

function noteGroup(placed: Map<number, string[]>, row: number, group: string, sign: 1 | -1): void {
  const groups = placed.get(row) ?? [];
  if (sign === 1) groups.push(group);
  else groups.splice(groups.lastIndexOf(group), 1);
  placed.set(row, groups);
}

/** Named properties are read several times faster than computed ones, and a pass reads these of every host. */
type Reader = (resources: Resources) => number | undefined;

function readerOf(dimension: string): Reader {
  switch (dimension) {
    case 'cpu':
      return (resources) => resources.cpu;
    case 'memory':
      return (resources) => resources.memory;
    default:
      return (resources) => resources[dimension];
  }
}

const occupied = (host: Host): number[] | undefined =>
  amountOf(host.capacity, 'gpu') > 0 ? gpuUse(host).free : undefined;

/** `task:group` and `runningTasksCount` change as a pass places tasks. */
export const looksAtTasks = (expression: string): boolean => /task:group|runningTasksCount/.test(expression);

function evaluateOn(host: Host, groups: readonly string[], expression: string): boolean {
  try {
    return matches(parseQuery(expression), factsOf(host, groups));
  } catch (error) {
    if (error instanceof QueryError) return false;
    throw error;
  }
}
