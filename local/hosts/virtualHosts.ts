import type { EngineClock } from '../engine/clock.ts';
import type {
  ContainerChange,
  ContainerSpec,
  HostBackend,
  HostObserver,
  InstanceSpec,
  TaskLaunch,
} from './backend.ts';
import type { Run } from './virtualRun.ts';
import { VirtualTask } from './virtualTask.ts';

export interface VirtualHostsOptions {
  readonly clock: EngineClock;
  /** From `boot` to `booted`. */
  readonly bootMs: number;
  /** Decides what a container does, from its image, command and environment. */
  readonly run: (container: ContainerSpec, launch: TaskLaunch) => Run;
}

interface VirtualHost {
  readonly spec: InstanceSpec;
  readonly tasks: Map<string, VirtualTask>;
  /** They run, and the agent, which has lost its data, knows nothing of them. */
  readonly orphans: Map<string, VirtualTask>;
  state: 'booting' | 'up' | 'stopping';
  /** A silent host works on and says nothing; what it would have said is kept until it speaks again. */
  silent: boolean;
  readonly unsaid: (() => void)[];
}

/** Container hosts in virtual time, for tests and the simulator. They do what the engines ask and fail on demand. */
export class VirtualHosts implements HostBackend {
  private readonly options: VirtualHostsOptions;
  private readonly hosts = new Map<string, VirtualHost>();
  private readonly failures = new Map<string, string>();
  private observer: HostObserver | undefined;
  private closed = false;

  constructor(options: VirtualHostsOptions) {
    this.options = options;
  }

  observe(observer: HostObserver): void {
    this.observer = observer;
  }

  boot(spec: InstanceSpec): void {
    if (this.hosts.has(spec.instanceId)) return;
    const host = this.add(spec, 'booting');
    this.options.clock.after(this.options.bootMs, () => {
      if (this.hosts.get(spec.instanceId) !== host || host.state !== 'booting') return;
      const failure = this.failures.get(spec.instanceId);
      if (failure !== undefined) {
        this.hosts.delete(spec.instanceId);
        this.tell((observer) => observer.bootFailed(spec.instanceId, failure));
        return;
      }
      host.state = 'up';
      this.tell((observer) => observer.booted(spec.instanceId));
    });
  }

  terminate(instanceId: string, graceMs: number): void {
    const host = this.hosts.get(instanceId);
    if (host === undefined || host.state === 'stopping') return;
    host.state = 'stopping';
    const tasks = [...host.tasks.values(), ...host.orphans.values()];
    for (const task of tasks) task.stop();
    const busy = tasks.some((task) => !task.over);
    this.options.clock.after(busy ? graceMs : 0, () => this.die(instanceId, 'The instance was terminated.'));
  }

  runTask(instanceId: string, launch: TaskLaunch): void {
    const host = this.hosts.get(instanceId);
    if (host?.state === 'up') {
      if (!host.tasks.has(launch.taskArn)) this.start(host, launch);
      return;
    }
    for (const { name } of launch.containers) {
      const reason = `The instance ${instanceId} is not running`;
      this.tell((observer) =>
        observer.containerChanged(instanceId, launch.taskArn, {
          containerName: name,
          status: 'STOPPED',
          reason,
        }),
      );
    }
  }

  stopTask(instanceId: string, taskArn: string, _reason: string): void {
    this.hosts.get(instanceId)?.tasks.get(taskArn)?.stop();
  }

  /** What still runs reports its state again; what the records name and nothing runs is started. */
  async adopt(
    instances: readonly InstanceSpec[],
    tasks: readonly { readonly instanceId: string; readonly launch: TaskLaunch }[],
  ): Promise<void> {
    const wanted = new Set(instances.map(({ instanceId }) => instanceId));
    for (const [instanceId, host] of [...this.hosts]) if (!wanted.has(instanceId)) this.clear(host);
    for (const spec of instances) {
      const host = this.hosts.get(spec.instanceId);
      if (host === undefined) this.boot(spec);
      else if (host.state === 'up') this.tell((observer) => observer.booted(spec.instanceId));
    }
    const known = new Set(tasks.map(({ launch }) => launch.taskArn));
    for (const host of this.hosts.values()) {
      for (const [arn, task] of [...host.tasks]) {
        if (known.has(arn)) continue;
        task.kill();
        host.tasks.delete(arn);
      }
    }
    for (const { instanceId, launch } of tasks) {
      const task = this.hosts.get(instanceId)?.tasks.get(launch.taskArn);
      if (task === undefined) this.runTask(instanceId, launch);
      else task.report();
    }
  }

  async close(_options: { readonly removeAll: boolean }): Promise<void> {
    this.closed = true;
    for (const host of [...this.hosts.values()]) this.clear(host);
  }

  /** The instance is gone from one moment to the next, with everything on it. */
  die(instanceId: string, reason: string): void {
    const host = this.hosts.get(instanceId);
    if (host === undefined) return;
    this.clear(host);
    this.tell((observer) => observer.terminated(instanceId, reason));
  }

  /** The next boot of this instance fails. */
  failBoot(instanceId: string, reason: string): void {
    this.failures.set(instanceId, reason);
  }

  /** The agent loses ECS; what happens meanwhile is reported when it is back. */
  silence(instanceId: string): void {
    const host = this.hosts.get(instanceId);
    if (host === undefined || host.silent) return;
    host.silent = true;
    this.tell((observer) => observer.agentConnected(instanceId, false));
  }

  /** The host loses its disk, containers and all, and boots again within `downMs`: nobody tells how they ended. */
  loseData(instanceId: string, downMs: number): void {
    const host = this.hosts.get(instanceId);
    if (host?.state !== 'up') return;
    for (const task of [...host.tasks.values(), ...host.orphans.values()]) task.kill();
    this.forget(instanceId, downMs);
  }

  /** The agent loses its data alone and starts again within `downMs`: what runs runs on, and nobody tells of it. */
  forget(instanceId: string, downMs: number): void {
    const host = this.hosts.get(instanceId);
    if (host?.state !== 'up') return;
    for (const [arn, task] of host.tasks) if (!task.over) host.orphans.set(arn, task);
    host.tasks.clear();
    host.unsaid.length = 0;
    this.silence(instanceId);
    host.state = 'booting';
    this.options.clock.after(downMs, () => {
      if (this.hosts.get(instanceId) !== host || host.state !== 'booting') return;
      host.state = 'up';
      host.silent = false;
      this.tell((observer) => observer.booted(instanceId));
    });
  }

  speak(instanceId: string): void {
    const host = this.hosts.get(instanceId);
    if (host === undefined || !host.silent || host.state === 'booting') return;
    host.silent = false;
    this.tell((observer) => observer.agentConnected(instanceId, true));
    for (const say of host.unsaid.splice(0)) say();
  }

  /** Ends one container as its own process would. */
  exit(instanceId: string, taskArn: string, containerName: string, exitCode: number): void {
    this.hosts.get(instanceId)?.tasks.get(taskArn)?.exit(containerName, exitCode);
  }

  /** Task ARNs that run on an instance now. */
  running(instanceId: string): string[] {
    const host = this.hosts.get(instanceId);
    if (host === undefined) return [];
    return [...host.tasks, ...host.orphans].filter(([, task]) => !task.over).map(([arn]) => arn);
  }

  get instanceIds(): readonly string[] {
    return [...this.hosts.keys()];
  }

  private add(spec: InstanceSpec, state: VirtualHost['state']): VirtualHost {
    const host: VirtualHost = {
      spec,
      tasks: new Map(),
      orphans: new Map(),
      state,
      silent: false,
      unsaid: [],
    };
    this.hosts.set(spec.instanceId, host);
    return host;
  }

  private start(host: VirtualHost, launch: TaskLaunch): void {
    const { instanceId } = host.spec;
    const report = (change: ContainerChange): void => {
      if (host.tasks.get(launch.taskArn) !== task) return;
      // An agent remembers a task until it has told of its end: until then it does not start the same one again.
      const over = task.over;
      const say = (): void => {
        this.tell((observer) => observer.containerChanged(instanceId, launch.taskArn, change));
        if (over) host.tasks.delete(launch.taskArn);
      };
      if (host.silent) host.unsaid.push(say);
      else say();
    };
    const task = new VirtualTask(this.options.clock, launch, this.options.run, report);
    host.tasks.set(launch.taskArn, task);
    task.begin();
  }

  private clear(host: VirtualHost): void {
    for (const task of [...host.tasks.values(), ...host.orphans.values()]) task.kill();
    this.hosts.delete(host.spec.instanceId);
  }

  private tell(say: (observer: HostObserver) => void): void {
    if (!this.closed && this.observer !== undefined) say(this.observer);
  }
}
