import type { TaskStopCode } from '@aws-sdk/client-ecs';
import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { EngineContext } from '../engine/service.ts';
import type { ContainerChange, HostBackend, TaskLaunch } from '../hosts/backend.ts';
import type { Arns } from './arn.ts';
import { applyChange } from './containerChange.ts';
import type { EcsEvents } from './events.ts';
import type { Hosts } from './hosts.ts';
import { launchOf } from './launch.ts';
import type { TaskPatch, TaskRecord } from './records.ts';
import type { EcsStore } from './store.ts';

/** ECS shows a stopped task for an hour. */
const SHOWN_AFTER_STOP_MS = 3_600_000;

/** The life of tasks from their creation to an hour after their end; every change is a version and an event. */
export class Tasks {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly events: EcsEvents;
  private readonly hosts: Hosts;
  private readonly backend: HostBackend;
  private readonly expiries = new Deadlines<{ readonly cluster: string; readonly id: string }>();
  private readonly timer: WakeTimer;

  constructor(
    context: EngineContext,
    store: EcsStore,
    arns: Arns,
    events: EcsEvents,
    hosts: Hosts,
    backend: HostBackend,
  ) {
    this.context = context;
    this.store = store;
    this.arns = arns;
    this.events = events;
    this.hosts = hosts;
    this.backend = backend;
    this.timer = new WakeTimer(context.clock, () => this.expire());
    for (const task of store.tasks()) if (task.stoppedAt !== undefined) this.expireLater(task);
  }

  /** Records a new task, which takes its resources; `send` then has its host start it. */
  create(task: TaskRecord): void {
    this.store.putTask(task);
    this.events.taskChanged(task);
    this.hosts.touch(task.cluster, task.hostId);
  }

  /** Hands a task to its host's agent. It can be repeated: the agent knows tasks by ARN. */
  send(task: TaskRecord): void {
    const host = this.store.host(task.cluster, task.hostId);
    const launch = this.launchOf(task);
    if (host?.agentConnected !== true || launch === undefined) return;
    this.backend.runTask(task.ec2InstanceId, launch);
  }

  launchOf(task: TaskRecord): TaskLaunch | undefined {
    const arn = this.arns.task(task.cluster, task.id);
    const name = task.taskDefinitionArn.slice(task.taskDefinitionArn.lastIndexOf('/') + 1);
    const definition = this.store.definitions.get(name);
    return definition === undefined ? undefined : launchOf(task, arn, definition);
  }

  /** Asks for the end of a task; its containers' ends arrive as changes. Does nothing for one that is already ending. */
  stop(task: TaskRecord, stopCode: TaskStopCode, reason: string): TaskRecord {
    if (task.desiredStatus === 'STOPPED') return task;
    const stopping = this.update(task, {
      desiredStatus: 'STOPPED',
      stopCode,
      stoppedReason: reason,
      stoppingAt: this.context.clock.now(),
    });
    this.sendStop(stopping);
    return stopping;
  }

  private sendStop(task: TaskRecord): void {
    const host = this.store.host(task.cluster, task.hostId);
    if (host?.agentConnected !== true) return;
    const arn = this.arns.task(task.cluster, task.id);
    this.backend.stopTask(task.ec2InstanceId, arn, task.stoppedReason ?? '');
  }

  /** What the host's agent reports of one container. */
  containerChanged(cluster: string, taskArn: string, change: ContainerChange): void {
    const task = this.store.task(cluster, taskArn);
    if (task === undefined || task.lastStatus === 'STOPPED') return;
    const patch = applyChange(task, change, this.context.clock.now());
    if (patch === undefined) return;
    const after = this.update(task, patch);
    const endsItself = task.desiredStatus === 'RUNNING' && after.desiredStatus === 'STOPPED';
    if (endsItself && after.lastStatus !== 'STOPPED') this.sendStop(after);
  }

  /** Ends tasks whose host is gone for ECS: nobody is left to report on them. */
  endAll(cluster: string, ids: Iterable<string>, end: Pick<TaskPatch, 'stopCode' | 'stoppedReason'>): void {
    const now = this.context.clock.now();
    for (const id of [...ids]) {
      const task = this.store.task(cluster, id);
      if (task === undefined || task.lastStatus === 'STOPPED') continue;
      // A task that was already asked to stop keeps the reason it was given.
      const why = task.desiredStatus === 'STOPPED' ? {} : end;
      this.update(task, {
        ...why,
        lastStatus: 'STOPPED',
        desiredStatus: 'STOPPED',
        stoppingAt: task.stoppingAt ?? now,
        executionStoppedAt: task.executionStoppedAt ?? now,
        stoppedAt: now,
        containers: task.containers.map((container) => ({ ...container, lastStatus: 'STOPPED' })),
      });
    }
  }

  /** Tells a host's agent again what it should be doing: it may have missed it while it was away. */
  resend(cluster: string, hostId: string): void {
    const ids = this.store.host(cluster, hostId)?.liveTaskIds ?? [];
    for (const task of [...this.store.tasksOf(ids)]) {
      if (task.desiredStatus === 'STOPPED') this.sendStop(task);
      else if (task.lastStatus === 'PENDING') this.send(task);
    }
  }

  private update(task: TaskRecord, patch: TaskPatch): TaskRecord {
    const after: TaskRecord = { ...task, ...patch, version: task.version + 1 };
    this.store.putTask(after);
    this.events.taskChanged(after);
    if (after.lastStatus === 'STOPPED') {
      this.hosts.touch(after.cluster, after.hostId);
      this.expireLater(after);
    }
    return after;
  }

  private expireLater(task: TaskRecord): void {
    const stoppedAt = task.stoppedAt ?? this.context.clock.now();
    this.expiries.add({ cluster: task.cluster, id: task.id }, stoppedAt + SHOWN_AFTER_STOP_MS);
    this.timer.need(this.expiries.earliestMs);
  }

  private expire(): void {
    const now = this.context.clock.now();
    for (let due = this.expiries.takeDue(now); due !== undefined; due = this.expiries.takeDue(now)) {
      const task = this.store.task(due.cluster, due.id);
      if (task !== undefined) this.store.deleteTask(task);
    }
    this.timer.need(this.expiries.earliestMs);
  }
}
