import type { Claim, Host } from '../../../layers/domain/model/host.ts';
import type { InstanceType } from '../../../layers/domain/model/pool.ts';
import { minus, plus, type Resources } from '../../../layers/domain/model/resources.ts';

/** A host's life in the replay: asked for, billed from `running`, usable when its agent has registered. */
export interface Timing {
  readonly bootMs: number;
  /** Part of the boot before EC2 says `running`. */
  readonly unbilledMs: number;
  readonly minimumBilledMs: number;
}

/** AL2023: 26 s from the API call until it takes tasks, 17 s of it pending; per-second billing, 60 s at least. */
export const TIMING: Timing = { bootMs: 26_000, unbilledMs: 17_000, minimumBilledMs: 60_000 };

export interface Job {
  readonly id: string;
  readonly demand: Resources;
  readonly arrivesMs: number;
  readonly runsMs: number;
  /** May be stopped and started elsewhere; its end stays, as that of a service that is replaced. */
  readonly interruptible: boolean;
}

/** What a policy sees and does. All else is the simulator's. */
export interface Fleet {
  readonly now: number;
  readonly hosts: ReadonlyMap<string, Host>;
  /** Jobs that have arrived and are not placed, oldest first. */
  readonly waiting: ReadonlyMap<string, Job>;
  /** When the job that runs was placed. */
  place(jobId: string, hostId: string): void;
  launch(type: InstanceType): string;
  /** The host must be empty. */
  terminate(hostId: string): void;
  /** Stops the job; it waits again and runs elsewhere until the end it would have had. */
  evict(jobId: string): void;
  /** Calls the policy again then. */
  wakeAt(atMs: number): void;
}

export interface Policy {
  readonly name: string;
  /** Something happened: a job came or ended, a host is ready, or a moment asked for has come. */
  step(fleet: Fleet): void;
}

export interface Sample {
  readonly atMs: number;
  readonly usdPerHour: number;
  readonly boundUsdPerHour: number;
  readonly hosts: number;
  readonly tasks: number;
}

export interface ReplayResult {
  readonly policy: string;
  readonly usd: number;
  readonly boundUsd: number;
  /** From arrival to first placement, ms, ascending. */
  readonly waits: readonly number[];
  readonly launched: number;
  readonly evictions: number;
  readonly samples: readonly Sample[];
}

type Event =
  | { readonly kind: 'arrive'; readonly job: Job }
  | { readonly kind: 'finish'; readonly jobId: string }
  | { readonly kind: 'ready'; readonly hostId: string }
  | { readonly kind: 'wake' };

/** Runs the jobs under a policy. `boundOf` gives the least USD an hour for what all live jobs ask. */
export function replay(
  jobs: readonly Job[],
  policy: Policy,
  boundOf: (demand: Resources) => number,
): ReplayResult {
  return new Simulation(jobs, policy, boundOf).run();
}

class Simulation implements Fleet {
  now = 0;
  readonly hosts = new Map<string, Host>();
  readonly waiting = new Map<string, Job>();
  readonly #queue = new EventQueue();
  readonly #policy: Policy;
  readonly #boundOf: (demand: Resources) => number;
  readonly #placedOn = new Map<string, { readonly job: Job; readonly hostId: string }>();
  readonly #waits = new Map<string, number>();
  readonly #ends = new Map<string, number>();
  readonly #samples: Sample[] = [];
  #live: Resources = {};
  #liveJobs = 0;
  #usd = 0;
  #boundUsd = 0;
  #launched = 0;
  #evictions = 0;

  constructor(jobs: readonly Job[], policy: Policy, boundOf: (demand: Resources) => number) {
    this.#policy = policy;
    this.#boundOf = boundOf;
    for (const job of jobs) this.#queue.push(job.arrivesMs, { kind: 'arrive', job });
  }

  run(): ReplayResult {
    let bound = 0;
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#boundUsd += (bound * (next.atMs - this.now)) / 3_600_000;
      this.now = next.atMs;
      this.#happen(next.event);
      // Everything that happens at one moment is one event to the policy.
      while (this.#queue.nextAt() === this.now) this.#happen(this.#queue.pop()?.event ?? { kind: 'wake' });
      this.#policy.step(this);
      bound = this.#boundOf(this.#live);
      this.#sample(bound);
    }
    for (const hostId of [...this.hosts.keys()]) this.terminate(hostId);
    return {
      policy: this.#policy.name,
      usd: this.#usd,
      boundUsd: this.#boundUsd,
      waits: [...this.#waits.values()].sort((a, b) => a - b),
      launched: this.#launched,
      evictions: this.#evictions,
      samples: this.#samples,
    };
  }

  #happen(event: Event): void {
    switch (event.kind) {
      case 'arrive':
        this.waiting.set(event.job.id, event.job);
        this.#live = plus(this.#live, event.job.demand);
        this.#liveJobs += 1;
        return;
      case 'finish': {
        const job = this.#placedOn.get(event.jobId)?.job ?? this.waiting.get(event.jobId);
        if (job === undefined) throw new Error(`${event.jobId} ended without having been there`);
        if (!this.waiting.delete(event.jobId)) this.#release(event.jobId);
        this.#live = minus(this.#live, job.demand);
        this.#liveJobs -= 1;
        return;
      }
      case 'ready': {
        const host = this.hosts.get(event.hostId);
        if (host === undefined) return;
        this.hosts.set(host.hostId, { ...host, state: 'READY', registeredAt: this.now, idleSince: this.now });
        return;
      }
      case 'wake':
    }
  }

  place(jobId: string, hostId: string): void {
    const job = this.waiting.get(jobId);
    const host = this.hosts.get(hostId);
    if (job === undefined || host?.state !== 'READY')
      throw new Error(`${jobId} cannot be placed on ${hostId}`);
    const left = minus(host.left, job.demand);
    for (const [dimension, amount] of Object.entries(left)) {
      if (amount < 0) throw new Error(`${jobId} does not fit on ${hostId}: ${dimension} ${amount}`);
    }
    const claim: Claim = {
      taskId: jobId,
      attempt: 1,
      demand: job.demand,
      hostPorts: [],
      claimedAt: this.now,
      group: 'replay',
      priority: 0,
      interruptible: job.interruptible,
    };
    const { idleSince: _idle, ...busy } = host;
    this.hosts.set(hostId, { ...busy, left, claims: { ...host.claims, [jobId]: claim } });
    this.waiting.delete(jobId);
    this.#placedOn.set(jobId, { job, hostId });
    if (this.#ends.has(jobId)) return;
    this.#waits.set(jobId, this.now - job.arrivesMs);
    this.#ends.set(jobId, this.now + job.runsMs);
    this.#queue.push(this.now + job.runsMs, { kind: 'finish', jobId });
  }

  #release(jobId: string): void {
    const placed = this.#placedOn.get(jobId);
    const host = this.hosts.get(placed?.hostId ?? '');
    if (placed === undefined || host === undefined) throw new Error(`${jobId} runs nowhere`);
    const { [jobId]: _gone, ...claims } = host.claims;
    const idle = Object.keys(claims).length === 0 ? { idleSince: this.now } : {};
    this.hosts.set(host.hostId, { ...host, left: plus(host.left, placed.job.demand), claims, ...idle });
    this.#placedOn.delete(jobId);
  }

  launch(type: InstanceType): string {
    this.#launched += 1;
    const hostId = `i-${this.#launched}`;
    this.hosts.set(hostId, {
      hostId,
      cluster: 'main',
      pool: 'general',
      instanceType: type.name,
      zone: 'us-east-1a',
      lifecycle: 'on-demand',
      architecture: type.architecture,
      usdPerHour: type.usdPerHour,
      state: 'BOOTING',
      stateReason: 'launched',
      epoch: 1,
      capacity: type.capacity,
      left: type.capacity,
      ports: [],
      claims: {},
      attributes: {},
      launchedAt: this.now,
    });
    this.#queue.push(this.now + TIMING.bootMs, { kind: 'ready', hostId });
    return hostId;
  }

  terminate(hostId: string): void {
    const host = this.hosts.get(hostId);
    if (host === undefined || Object.keys(host.claims).length > 0) throw new Error(`${hostId} is not empty`);
    const billed = Math.max(TIMING.minimumBilledMs, this.now - host.launchedAt - TIMING.unbilledMs);
    this.#usd += (host.usdPerHour * billed) / 3_600_000;
    this.hosts.delete(hostId);
  }

  evict(jobId: string): void {
    const placed = this.#placedOn.get(jobId);
    if (placed === undefined || !placed.job.interruptible) throw new Error(`${jobId} cannot be moved`);
    this.#release(jobId);
    this.waiting.set(jobId, placed.job);
    this.#evictions += 1;
  }

  wakeAt(atMs: number): void {
    if (this.#liveJobs > 0 || this.hosts.size > 0)
      this.#queue.push(Math.max(atMs, this.now + 1), { kind: 'wake' });
  }

  #sample(boundUsdPerHour: number): void {
    let usdPerHour = 0;
    for (const host of this.hosts.values()) usdPerHour += host.usdPerHour;
    this.#samples.push({
      atMs: this.now,
      usdPerHour,
      boundUsdPerHour,
      hosts: this.hosts.size,
      tasks: this.#liveJobs,
    });
  }
}

/** Events by time, in order of arrival among equals. */
class EventQueue {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly event: Event }[] = [];
  #pushed = 0;

  push(atMs: number, event: Event): void {
    const entry = { atMs, order: this.#pushed, event };
    this.#pushed += 1;
    let at = this.#heap.length;
    this.#heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || before(above, entry)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = entry;
  }

  nextAt(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  pop(): { readonly atMs: number; readonly event: Event } | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined || top === last) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [this.#heap[child], this.#heap[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && before(right, left)) child += 1;
      const below = this.#heap[child];
      if (below === undefined || before(last, below)) break;
      this.#heap[at] = below;
      at = child;
    }
    this.#heap[at] = last;
    return top;
  }
}

const before = (a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
