import { assignCpus, type CpuPools } from '../layers/domain/isolation/cpuPools.ts';
import { type DesiredLimits, desiredLimits } from '../layers/domain/isolation/desired.ts';
import type { Knob } from '../layers/domain/isolation/knob.ts';
import { knobsV1 } from '../layers/domain/isolation/knobsV1.ts';
import { knobsV2, type Placement } from '../layers/domain/isolation/knobsV2.ts';
import type { QosClass } from '../layers/domain/isolation/profile.ts';
import { type Squeeze, squeezed } from '../layers/domain/isolation/squeeze.ts';
import { type HostTopology, parseCpuList } from '../layers/domain/isolation/topology.ts';
import { unitProperties } from '../layers/domain/isolation/unitProperties.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import type { CpusetPartitions } from './cpusetPartition.ts';
import { readEcsLimits } from './ecsLimits.ts';
import type { KnobResult, Reconciled, Reconciler } from './reconciler.ts';
import { type ContainerView, profileOf, requestOf } from './taskView.ts';

/** One cgroup the agent looks after. */
export interface TaskEntry {
  readonly cgroup: string;
  readonly taskArn: string;
  /** Every container ever seen of the task: one that has ended still counts in the request. */
  readonly containers: Map<string, ContainerView>;
  qos: QosClass;
  desired?: DesiredLimits;
  results: readonly KnobResult[];
  inTime: boolean;
  lateMs?: number;
  appliedOnce: boolean;
  /** The disk its I/O limits apply to, when it has some. */
  device?: string;
  /** Whether the coming of its containers' groups is looked for. */
  containersWatched?: true;
  /** What systemd was last asked to keep. */
  persisted?: string;
  /** What the pressure ladder takes for now. */
  squeeze?: Squeeze;
  /** CPUs of its own. */
  pinned?: readonly number[];
  pinRefusal?: string;
  /** Why what leaves it is not held to a rate although it asked for that. */
  egressRefusal?: string;
  /** Why its CPUs are no partition although it asked for one. */
  partitionRefusal?: string;
  /** Times of recent repairs, oldest first. */
  readonly repairs: number[];
  lookDue: boolean;
  unwatch: (() => void)[];
}

export interface TaskTableParts {
  readonly fs: CgroupFs;
  readonly mounts: CgroupMounts;
  readonly topology: HostTopology;
  readonly reconciler: Reconciler;
  /** `major:minor` of the disk behind a path, default that of container roots; undefined when there is none. */
  deviceOf(path: string | undefined): string | undefined;
  readonly partitions: CpusetPartitions;
  /** Makes values last where systemd owns the group; absent where it does not run. */
  persist?: (cgroup: string, properties: readonly string[]) => void;
  /** Runs the work soon, after what is running now. */
  defer(work: () => void): void;
  now(): number;
  log(line: string): void;
}

const PARTITION_FILE = 'cpuset.cpus.partition';
const V1_WATCHED = ['cpu', 'cpuset', 'memory', 'pids'];
/** Somebody who undoes our values this often is left to it until the window has passed: two writers must not spin. */
const REPAIRS_PER_WINDOW = 20;
const REPAIR_WINDOW_MS = 10_000;

const FROZEN = { 1: 'FROZEN', 2: '1' } as const;
const freezeKnob = (version: 1 | 2, frozen: boolean): Knob =>
  version === 2
    ? { controller: 'freezer', file: 'cgroup.freeze', value: frozen ? FROZEN[2] : '0' }
    : { controller: 'freezer', file: 'freezer.state', value: frozen ? FROZEN[1] : 'THAWED' };

/** All tasks of the host, their plan, and what stands of it. */
export class TaskTable {
  readonly tasks = new Map<string, TaskEntry>();
  readonly #parts: TaskTableParts;
  #shared: readonly number[];
  #pinningSeen = false;
  /** Called when the kernel has counted something in a task's `*.events` files. */
  happened: (entry: TaskEntry) => void = () => {};
  /** Writes to cgroup files since the start. */
  writes = 0;

  constructor(parts: TaskTableParts) {
    this.#parts = parts;
    this.#shared = parts.topology.cpus.map(({ id }) => id);
  }

  /** Takes a container in, at its creation or when it is found running, and makes its task's values stand. */
  seen(view: ContainerView, cgroup: string): void {
    let entry = this.tasks.get(cgroup);
    if (entry === undefined) {
      entry = {
        cgroup,
        taskArn: view.taskArn,
        containers: new Map(),
        qos: view.profile.qos,
        results: [],
        inTime: false,
        appliedOnce: false,
        repairs: [],
        lookDue: false,
        unwatch: [],
      };
      this.tasks.set(cgroup, entry);
      this.#watch(entry);
    }
    entry.containers.set(view.containerId, view);
    this.#plan(entry);
    this.#watchContainers(entry);
    this.#settlePins();
    this.reconcile(entry);
  }

  /** Makes the task's values stand; only reads when they do. Forgets the task when its group is gone. */
  reconcile(entry: TaskEntry): void {
    if (entry.desired === undefined) return;
    const { gone, results } = this.#apply(entry, entry.desired);
    if (gone) {
      this.forget(entry.cgroup);
      return;
    }
    entry.results = results;
    this.#persist(entry, entry.desired);
    if (!entry.appliedOnce) this.#firstApplied(entry);
  }

  #apply(entry: TaskEntry, desired: DesiredLimits): Reconciled {
    const first = this.#parts.reconciler.apply(entry.cgroup, this.#knobs(entry, desired));
    this.writes += first.writes;
    const refused = first.results.find(
      ({ file, outcome }) => file === PARTITION_FILE && outcome === 'failed',
    );
    if (first.gone || refused === undefined || entry.partitionRefusal !== undefined) return first;
    // Refused for good: to ask again at each look would be a write at rest. The CPUs stay the task's own.
    entry.partitionRefusal = refused.detail ?? 'the kernel refuses it';
    const plain = this.#parts.reconciler.apply(entry.cgroup, this.#knobs(entry, desired));
    this.writes += plain.writes;
    return plain;
  }

  reconcileAll(): void {
    for (const entry of [...this.tasks.values()]) this.reconcile(entry);
  }

  forget(cgroup: string): void {
    const entry = this.tasks.get(cgroup);
    if (entry === undefined) return;
    for (const stop of entry.unwatch) stop();
    this.tasks.delete(cgroup);
    if (entry.pinned !== undefined) {
      this.#settlePins();
      this.reconcileAll();
    }
  }

  /** Forgets tasks whose group is gone. Returns the inodes of those that live. */
  dropGone(): Set<number> {
    const alive = new Set<number>();
    for (const { cgroup } of [...this.tasks.values()]) {
      const inode = this.#parts.reconciler.inode(cgroup);
      if (inode === undefined) this.forget(cgroup);
      else alive.add(inode);
    }
    return alive;
  }

  close(): void {
    for (const { unwatch } of this.tasks.values()) for (const stop of unwatch) stop();
  }

  /** Takes the squeeze from the task, or gives it back. */
  squeeze(cgroup: string, squeeze: Squeeze | undefined): void {
    const entry = this.tasks.get(cgroup);
    if (entry === undefined || JSON.stringify(entry.squeeze) === JSON.stringify(squeeze)) return;
    if (squeeze === undefined) delete entry.squeeze;
    else entry.squeeze = squeeze;
    this.reconcile(entry);
  }

  #plan(entry: TaskEntry): void {
    const { fs, mounts, topology, reconciler, partitions } = this.#parts;
    const views = [...entry.containers.values()];
    const profile = profileOf(views);
    entry.qos = profile.qos;
    const ecs = readEcsLimits(reconciler, fs, mounts, entry.cgroup);
    const desired = desiredLimits(profile, requestOf(views), ecs, topology);
    entry.desired = desired;
    if (desired.partition !== undefined && !partitions.holds(entry.cgroup)) {
      const obstacle = partitions.obstacle();
      if (obstacle !== undefined) entry.partitionRefusal = obstacle;
    }
    const { readBytesPerSecond, writeBytesPerSecond, readIops, writeIops, path } = desired.io;
    if ([readBytesPerSecond, writeBytesPerSecond, readIops, writeIops].every((rate) => rate === undefined))
      return;
    const device = this.#parts.deviceOf(path);
    if (device !== undefined) {
      entry.device = device;
      return;
    }
    const reason = `no disk behind ${path ?? 'the container root'}`;
    entry.desired = { ...desired, refused: [...desired.refused, { knob: 'io', reason }] };
  }

  /** Shares the CPUs out anew; tasks whose set changes are reconciled. */
  #settlePins(): void {
    const { topology, partitions } = this.#parts;
    const requests = [...this.tasks.values()].flatMap(({ cgroup, desired, partitionRefusal }) => {
      const cpus = desired?.pinnedCpus ?? 0;
      if (cpus === 0) return [];
      const wanted = desired?.partition !== undefined && partitionRefusal === undefined;
      return [{ key: cgroup, cpus, ...(wanted ? { among: partitions.candidates() } : {}) }];
    });
    if (requests.length === 0 && !this.#pinningSeen) return;
    this.#pinningSeen = true;
    const held = new Map(requests.map(({ key }) => [key, this.#heldCpus(key)] as const));
    const pools: CpuPools = assignCpus(topology, requests, held);
    const before = String(this.#shared);
    this.#shared = pools.shared;
    for (const entry of this.tasks.values()) {
      const pinned = pools.pinned.get(entry.cgroup);
      const refusal = pools.refused.get(entry.cgroup);
      if (pinned === undefined) delete entry.pinned;
      else entry.pinned = pinned;
      if (refusal === undefined) delete entry.pinRefusal;
      else entry.pinRefusal = refusal;
    }
    if (String(this.#shared) !== before) this.reconcileAll();
  }

  /** Own CPUs of a task as known, or as an earlier agent left them in the group. */
  #heldCpus(cgroup: string): readonly number[] {
    const pinned = this.tasks.get(cgroup)?.pinned;
    if (pinned !== undefined) return pinned;
    const directory = controllerDirectory(this.#parts.mounts, 'cpuset', cgroup);
    try {
      return parseCpuList(this.#parts.fs.read(`${directory}/cpuset.cpus`));
    } catch {
      // No cpuset controller here: nothing is held.
      return [];
    }
  }

  #knobs(entry: TaskEntry, desired: DesiredLimits): Knob[] {
    const { mounts } = this.#parts;
    const placement = this.#placement(entry, desired);
    const knobs = (mounts.version === 2 ? knobsV2 : knobsV1)(squeezed(desired, entry.squeeze), placement);
    const freeze = freezeKnob(mounts.version, entry.squeeze?.frozen !== undefined);
    return [
      // Until a task has CPUs of its own, every group runs where its parent does and needs no set.
      ...(this.#pinningSeen ? knobs : knobs.filter(({ file }) => file !== 'cpuset.cpus')),
      // Others may freeze a group too: only one that we have frozen is ours to thaw, also after our own death.
      ...(freeze.value === FROZEN[mounts.version] || this.#parts.reconciler.wrote(entry.cgroup, freeze.file)
        ? [freeze]
        : []),
    ];
  }

  #placement({ pinned, device, partitionRefusal }: TaskEntry, { partition }: DesiredLimits): Placement {
    const granted = pinned !== undefined && partitionRefusal === undefined ? partition : 'member';
    return {
      cpus: pinned ?? this.#shared,
      ...(device === undefined ? {} : { device }),
      ...(partition === undefined || granted === undefined ? {} : { partition: granted }),
    };
  }

  /** What is taken for a while is not for systemd to keep. */
  #persist(entry: TaskEntry, desired: DesiredLimits): void {
    const { persist } = this.#parts;
    if (persist === undefined) return;
    const properties = unitProperties(desired, this.#placement(entry, desired), this.#pinningSeen);
    const text = properties.join(' ');
    if (entry.persisted === text) return;
    entry.persisted = text;
    persist(entry.cgroup, properties);
  }

  #firstApplied(entry: TaskEntry): void {
    entry.appliedOnce = true;
    const started = [...entry.containers.values()]
      .filter(({ running }) => running)
      .map(({ startedAt }) => startedAt ?? 0);
    entry.inTime = started.length === 0;
    if (!entry.inTime) entry.lateMs = Math.max(0, this.#parts.now() - Math.min(...started));
  }

  #watch(entry: TaskEntry): void {
    const { mounts } = this.#parts;
    const controllers = mounts.version === 2 ? ['cpu'] : V1_WATCHED;
    for (const controller of controllers)
      this.#watchController(entry, controller, (name) => this.#written(entry, name));
  }

  /** On v1 an I/O limit has to stand on each container's group, so that their coming is looked for. */
  #watchContainers(entry: TaskEntry): void {
    if (this.#parts.mounts.version === 2 || entry.device === undefined || entry.containersWatched) return;
    entry.containersWatched = true;
    this.#watchController(entry, 'blkio', () => this.#lookSoon(entry));
  }

  #watchController(entry: TaskEntry, controller: string, changed: (name: string | undefined) => void): void {
    const { fs, mounts } = this.#parts;
    const directory = controllerDirectory(mounts, controller, entry.cgroup);
    if (directory === undefined) return;
    try {
      entry.unwatch.push(fs.watch(directory, changed));
    } catch (error) {
      // The periodic look still finds what is missed without a watch.
      this.#parts.log(`no watch on ${directory}: ${(error as Error).message}`);
    }
  }

  /**
   * A file of the group was written, perhaps by us: one look tells, and repairs what differs. The files of one change
   * come together, so they are looked at together.
   */
  #written(entry: TaskEntry, name: string | undefined): void {
    if (name?.endsWith('.events') === true) this.happened(entry);
    if (entry.lookDue || entry.desired === undefined) return;
    if (name !== undefined && !this.#knobs(entry, entry.desired).some(({ file }) => file === name)) return;
    this.#lookSoon(entry);
  }

  #lookSoon(entry: TaskEntry): void {
    if (entry.lookDue) return;
    entry.lookDue = true;
    this.#parts.defer(() => {
      entry.lookDue = false;
      if (this.tasks.get(entry.cgroup) === entry) this.#repair(entry);
    });
  }

  #repair(entry: TaskEntry): void {
    const now = this.#parts.now();
    const { repairs } = entry;
    while (repairs.length > 0 && (repairs[0] ?? 0) < now - REPAIR_WINDOW_MS) repairs.shift();
    if (repairs.length >= REPAIRS_PER_WINDOW) return;
    const before = this.writes;
    this.#plan(entry);
    this.reconcile(entry);
    if (this.writes > before) repairs.push(now);
  }
}
