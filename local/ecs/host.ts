import type { HostFacts } from '../../layers/domain/placement/query/expression.ts';
import type { Demand, HostRecord, TaskRecord } from './records.ts';

const bump = (counts: Map<string, number>, key: string, by: 1 | -1): void => {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
};

/** A container instance with what its tasks hold; a task holds its resources until it is STOPPED. */
export class Host implements HostFacts {
  record: HostRecord;
  /** Ids of all its tasks, the stopped ones that ECS still shows included, oldest first. */
  readonly taskIds = new Set<string>();
  private readonly holding = new Set<string>();
  private readonly groups = new Map<string, number>();
  private readonly ports = new Map<string, number>();
  private cpuHeld = 0;
  private memoryHeld = 0;
  private gpusHeld = 0;
  private running = 0;

  constructor(record: HostRecord) {
    this.record = record;
  }

  get ec2InstanceId(): string {
    return this.record.ec2InstanceId;
  }
  get attributes(): Readonly<Record<string, string>> {
    return this.record.attributes;
  }
  get agentConnected(): boolean {
    return this.record.agentConnected;
  }
  get agentVersion(): string {
    return this.record.agentVersion;
  }
  get registeredAt(): number {
    return this.record.registeredAt;
  }
  get runningTasksCount(): number {
    return this.running;
  }
  get pendingTasksCount(): number {
    return this.holding.size - this.running;
  }
  get taskGroups(): readonly string[] {
    return [...this.groups.keys()];
  }

  tasksOfGroup(group: string): number {
    return this.groups.get(group) ?? 0;
  }

  /** Ids of the tasks that are not stopped. */
  get liveTaskIds(): ReadonlySet<string> {
    return this.holding;
  }

  get remaining(): Demand {
    const { registered } = this.record;
    return {
      cpu: registered.cpu - this.cpuHeld,
      memory: registered.memory - this.memoryHeld,
      gpus: registered.gpus - this.gpusHeld,
      // ECS lists the ports that are taken, not those that are left.
      ports: [...registered.ports, ...this.ports.keys()],
    };
  }

  /** The first resource the demand does not fit into, as ECS names it. */
  shortage(demand: Demand): string | undefined {
    const { registered } = this.record;
    if (demand.cpu > registered.cpu - this.cpuHeld) return 'RESOURCE:CPU';
    if (demand.memory > registered.memory - this.memoryHeld) return 'RESOURCE:MEMORY';
    if (demand.gpus > registered.gpus - this.gpusHeld) return 'RESOURCE:GPU';
    for (const port of demand.ports) {
      if (this.ports.has(port) || registered.ports.includes(port)) return 'RESOURCE:PORTS';
    }
    return undefined;
  }

  /** Follows one of its tasks from one version to the next; `undefined` is before its creation and after its expiry. */
  follow(before: TaskRecord | undefined, after: TaskRecord | undefined): void {
    if (before !== undefined && before.lastStatus !== 'STOPPED') this.count(before, -1);
    if (after !== undefined && after.lastStatus !== 'STOPPED') this.count(after, 1);
    if (after !== undefined) this.taskIds.add(after.id);
    else if (before !== undefined) this.taskIds.delete(before.id);
  }

  private count(task: TaskRecord, by: 1 | -1): void {
    if (by === 1) this.holding.add(task.id);
    else this.holding.delete(task.id);
    this.cpuHeld += by * task.demand.cpu;
    this.memoryHeld += by * task.demand.memory;
    this.gpusHeld += by * task.demand.gpus;
    if (task.lastStatus === 'RUNNING') this.running += by;
    for (const port of task.demand.ports) bump(this.ports, port, by);
    // Placement looks at what a task is to be, not at what it last was.
    if (task.desiredStatus === 'RUNNING') bump(this.groups, task.group, by);
  }
}
