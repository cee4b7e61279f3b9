import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { lastPart } from './arn.ts';
import { clusterNotFound } from './errors.ts';
import { Host } from './host.ts';
import type {
  ClusterRecord,
  HostRecord,
  LaunchTokenRecord,
  TaskDefinitionRecord,
  TaskRecord,
} from './records.ts';

/** One cluster's hosts and tasks by every key that an operation looks them up with; all in order of `sequence`. */
export interface ClusterIndex {
  readonly hosts: Map<string, Host>;
  readonly hostIdByInstance: Map<string, string>;
  readonly taskIds: Set<string>;
  readonly taskIdsByStarter: Map<string, Set<string>>;
  readonly taskIdsByFamily: Map<string, Set<string>>;
}

/** A version of a task that was replaced, for reads that are to be stale. */
export interface PastTask {
  readonly task: TaskRecord | undefined;
  readonly replacedAt: number;
}

/** All of ECS's records, with the indexes that keep every call independent of how many there are. */
export class EcsStore {
  readonly clusters: Collection<ClusterRecord>;
  readonly definitions: Collection<TaskDefinitionRecord>;
  readonly tokens: Collection<LaunchTokenRecord>;
  /** Revisions of each family, rising. */
  readonly families = new Map<string, number[]>();
  private readonly hostRecords: Collection<HostRecord>;
  private readonly taskRecords: Collection<TaskRecord>;
  private readonly indexes = new Map<string, ClusterIndex>();
  private readonly past = new Map<string, PastTask>();
  private readonly context: EngineContext;
  private sequence = 0;

  constructor(context: EngineContext) {
    this.context = context;
    this.clusters = context.state.collection('ecs.clusters');
    this.definitions = context.state.collection('ecs.taskDefinitions');
    this.tokens = context.state.collection('ecs.launchTokens');
    this.hostRecords = context.state.collection('ecs.containerInstances');
    this.taskRecords = context.state.collection('ecs.tasks');
    this.load();
  }

  private load(): void {
    const bySequence = (a: { sequence: number }, b: { sequence: number }): number => a.sequence - b.sequence;
    for (const host of [...this.hostRecords.values()].sort(bySequence)) this.indexHost(host);
    for (const task of [...this.taskRecords.values()].sort(bySequence)) this.indexTask(undefined, task);
    for (const { family, revision } of this.definitions.values()) this.addRevision(family, revision);
    for (const revisions of this.families.values()) revisions.sort((a, b) => a - b);
  }

  nextSequence(): number {
    this.sequence += 1;
    return this.sequence;
  }

  /** By name or ARN; the cluster `default` when nothing is named. Throws ClusterNotFoundException. */
  activeCluster(reference: string | undefined): ClusterRecord {
    const cluster = this.clusters.get(lastPart(reference ?? 'default'));
    if (cluster?.status !== 'ACTIVE') throw clusterNotFound();
    return cluster;
  }

  index(cluster: string): ClusterIndex {
    const known = this.indexes.get(cluster);
    if (known !== undefined) return known;
    const index: ClusterIndex = {
      hosts: new Map(),
      hostIdByInstance: new Map(),
      taskIds: new Set(),
      taskIdsByStarter: new Map(),
      taskIdsByFamily: new Map(),
    };
    this.indexes.set(cluster, index);
    return index;
  }

  addRevision(family: string, revision: number): void {
    const revisions = this.families.get(family);
    if (revisions === undefined) this.families.set(family, [revision]);
    else revisions.push(revision);
  }

  /** By id or ARN, in its cluster. */
  host(cluster: string, reference: string): Host | undefined {
    return this.index(cluster).hosts.get(lastPart(reference));
  }

  hostOfInstance(cluster: string, ec2InstanceId: string): Host | undefined {
    const { hosts, hostIdByInstance } = this.index(cluster);
    const id = hostIdByInstance.get(ec2InstanceId);
    return id === undefined ? undefined : hosts.get(id);
  }

  /** In whatever cluster it is registered: there are few clusters. */
  hostsOfInstance(ec2InstanceId: string): Host[] {
    return [...this.indexes.keys()].flatMap((cluster) => this.hostOfInstance(cluster, ec2InstanceId) ?? []);
  }

  putHost(record: HostRecord): Host {
    this.hostRecords.set(record.id, record);
    return this.indexHost(record);
  }

  deleteHost(record: HostRecord): void {
    this.hostRecords.delete(record.id);
    const index = this.index(record.cluster);
    index.hosts.delete(record.id);
    if (index.hostIdByInstance.get(record.ec2InstanceId) === record.id) {
      index.hostIdByInstance.delete(record.ec2InstanceId);
    }
  }

  hosts(): IterableIterator<HostRecord> {
    return this.hostRecords.values();
  }

  /** By id or ARN, in its cluster. */
  task(cluster: string, reference: string): TaskRecord | undefined {
    const task = this.taskRecords.get(lastPart(reference));
    return task?.cluster === cluster ? task : undefined;
  }

  tasks(): IterableIterator<TaskRecord> {
    return this.taskRecords.values();
  }

  *tasksOf(ids: Iterable<string>): Generator<TaskRecord> {
    for (const id of ids) {
      const task = this.taskRecords.get(id);
      if (task !== undefined) yield task;
    }
  }

  putTask(task: TaskRecord): void {
    const before = this.taskRecords.get(task.id);
    this.past.set(task.id, { task: before, replacedAt: this.context.clock.now() });
    this.taskRecords.set(task.id, task);
    this.indexTask(before, task);
  }

  /** The version before the present one. */
  pastOf(id: string): PastTask | undefined {
    return this.past.get(id);
  }

  deleteTask(task: TaskRecord): void {
    this.taskRecords.delete(task.id);
    this.past.delete(task.id);
    const index = this.index(task.cluster);
    index.hosts.get(task.hostId)?.follow(task, undefined);
    index.taskIds.delete(task.id);
    remove(index.taskIdsByFamily, task.family, task.id);
    if (task.startedBy !== undefined) remove(index.taskIdsByStarter, task.startedBy, task.id);
  }

  private indexHost(record: HostRecord): Host {
    this.sequence = Math.max(this.sequence, record.sequence);
    const index = this.index(record.cluster);
    const known = index.hosts.get(record.id);
    if (known !== undefined) {
      known.record = record;
      return known;
    }
    const host = new Host(record);
    index.hosts.set(record.id, host);
    index.hostIdByInstance.set(record.ec2InstanceId, record.id);
    return host;
  }

  private indexTask(before: TaskRecord | undefined, task: TaskRecord): void {
    const index = this.index(task.cluster);
    index.hosts.get(task.hostId)?.follow(before, task);
    if (before !== undefined) return;
    this.sequence = Math.max(this.sequence, task.sequence);
    index.taskIds.add(task.id);
    add(index.taskIdsByFamily, task.family, task.id);
    if (task.startedBy !== undefined) add(index.taskIdsByStarter, task.startedBy, task.id);
  }
}

function add(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([id]));
  else set.add(id);
}

function remove(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  set?.delete(id);
  if (set?.size === 0) sets.delete(key);
}
