import type { Claim, Host } from '../model/host.ts';
import { amountOf } from '../model/resources.ts';

/** What takes room: a task or the claim of one. */
type Occupant = Pick<Claim, 'demand' | 'hostPorts'>;

/** The room of some hosts as numbers, in which claims can be tried and taken back. */
export class Rooms {
  readonly hosts: readonly Host[];
  readonly dimensions: readonly string[];
  readonly #left: Float64Array;
  readonly #scale: Float64Array;
  readonly #closed: Uint8Array;
  /** Rows with room kept for tasks that wait. */
  readonly kept = new Set<number>();
  readonly #ports: Set<string>[];
  /** Tasks on each host, moves counted. */
  readonly #tasks: Int32Array;

  constructor(hosts: readonly Host[]) {
    this.hosts = hosts;
    this.dimensions = [...new Set(hosts.flatMap(({ capacity }) => Object.keys(capacity)))];
    const read = (of: 'left' | 'capacity'): Float64Array =>
      Float64Array.from(
        hosts.flatMap((host) => this.dimensions.map((dimension) => amountOf(host[of], dimension))),
      );
    this.#left = read('left');
    this.#scale = read('capacity').map((amount) => (amount > 0 ? 1 / amount : 0));
    this.#closed = new Uint8Array(hosts.length);
    this.#ports = hosts.map(({ ports }) => new Set(ports));
    this.#tasks = Int32Array.from(hosts, ({ claims }) => Object.keys(claims).length);
  }

  /** Hosts that had no task of their own and have been given one. */
  opened(): ReadonlySet<string> {
    const opened = this.hosts.filter(
      ({ claims }, row) => Object.keys(claims).length === 0 && (this.#tasks[row] ?? 0) > 0,
    );
    return new Set(opened.map(({ hostId }) => hostId));
  }

  /** A closed host takes nothing more. Whether it was open. */
  close(row: number): boolean {
    const wasOpen = this.#closed[row] === 0;
    this.#closed[row] = 1;
    return wasOpen;
  }

  /** Takes room for a task that waits, on the fullest open host that holds it; false when none does. */
  keepFor(task: Occupant): boolean {
    const row = this.#fullestFor(task, -1);
    if (row < 0) return false;
    this.#take(row, task, 1);
    this.kept.add(row);
    return true;
  }

  reopen(row: number): void {
    this.#closed[row] = 0;
  }

  /**
   * Moves all the claims to other open hosts of the same pool, largest first, each to the fullest that holds it. False,
   * with nothing moved, when one finds no host.
   */
  moveAll(claims: readonly Claim[], from: number): boolean {
    const moved: { readonly claim: Claim; readonly row: number }[] = [];
    for (const claim of [...claims].sort((a, b) => this.#size(b, from) - this.#size(a, from))) {
      const row = this.#fullestFor(claim, from);
      if (row < 0) {
        for (const each of moved) this.#take(each.row, each.claim, -1);
        return false;
      }
      this.#take(row, claim, 1);
      moved.push({ claim, row });
    }
    return true;
  }

  /** Moves what it can, largest first, and returns the claims for which there is no room. */
  moveSome(claims: readonly Claim[], from: number): Claim[] {
    const homeless: Claim[] = [];
    for (const claim of [...claims].sort((a, b) => this.#size(b, from) - this.#size(a, from))) {
      const row = this.#fullestFor(claim, from);
      if (row < 0) homeless.push(claim);
      else this.#take(row, claim, 1);
    }
    return homeless;
  }

  #size(claim: Claim, row: number): number {
    return this.dimensions.reduce((size, dimension, d) => {
      const scale = this.#scale[row * this.dimensions.length + d] as number;
      return Math.max(size, amountOf(claim.demand, dimension) * scale);
    }, 0);
  }

  /** Of the pool of the host it comes from; of any, when it comes from none. */
  #fullestFor(claim: Occupant, from: number): number {
    const pool = this.hosts[from]?.pool;
    const demand = Float64Array.from(this.dimensions, (dimension) => amountOf(claim.demand, dimension));
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.hosts.length; row += 1) {
      if (row === from || this.#closed[row] === 1 || (from >= 0 && this.hosts[row]?.pool !== pool)) continue;
      const rest = this.#restAfter(row, demand);
      if (rest >= least || claim.hostPorts.some((port) => this.#ports[row]?.has(port))) continue;
      least = rest;
      best = row;
    }
    return best;
  }

  /** Mean share left after the demand; infinite when it does not fit. */
  #restAfter(row: number, demand: Float64Array): number {
    const base = row * demand.length;
    let sum = 0;
    for (let d = 0; d < demand.length; d += 1) {
      const rest = (this.#left[base + d] as number) - (demand[d] as number);
      if (rest < 0 && (demand[d] as number) > 0) return Number.POSITIVE_INFINITY;
      sum += rest * (this.#scale[base + d] as number);
    }
    return sum;
  }

  #take(row: number, claim: Occupant, sign: 1 | -1): void {
    this.dimensions.forEach((dimension, d) => {
      const at = row * this.dimensions.length + d;
      this.#left[at] = (this.#left[at] as number) - sign * amountOf(claim.demand, dimension);
    });
    this.#tasks[row] = (this.#tasks[row] as number) + sign;
    for (const port of claim.hostPorts) {
      if (sign === 1) this.#ports[row]?.add(port);
      else this.#ports[row]?.delete(port);
    }
  }
}
