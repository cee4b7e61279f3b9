import type { EngineClock } from '../engine/clock.ts';
import type { ContainerSpec, HostBackend, TaskLaunch } from '../hosts/backend.ts';
import { VirtualHosts } from '../hosts/virtualHosts.ts';
import type { Run } from '../hosts/virtualRun.ts';

/** One process that really ran on a host: what the records are held against. */
export interface Process {
  readonly taskId: string;
  readonly attempt: number;
  readonly arn: string;
  readonly hostId: string;
  readonly startedAt: number;
  /** Somebody asked for its end. */
  stopAsked: boolean;
  /** Its own end, reached alive and not being stopped. */
  exitedAt?: number;
  exitCode?: number;
}

export interface ProcessesOptions {
  readonly clock: EngineClock;
  readonly bootMs: number;
  readonly behave: (container: ContainerSpec, attempt: number) => Run;
  readonly onStart: (process: Process) => void;
  readonly onExit: (process: Process) => void;
}

/** Virtual hosts that keep book of every process, by task; ECS is given `backend`. */
export class Processes {
  readonly hosts: VirtualHosts;
  readonly backend: HostBackend;
  readonly byTask = new Map<string, Process[]>();
  private readonly byArn = new Map<string, Process>();
  private readonly options: ProcessesOptions;
  /** Where the launch under way goes: the hosts ask what a container does without saying where. */
  private launchingOn = '';

  constructor(options: ProcessesOptions) {
    this.options = options;
    const { clock, bootMs } = options;
    const hosts = new VirtualHosts({
      clock,
      bootMs,
      run: (container, launch) => this.start(container, launch),
    });
    this.hosts = hosts;
    this.backend = {
      observe: (observer) => hosts.observe(observer),
      boot: (spec) => hosts.boot(spec),
      terminate: (id, graceMs) => hosts.terminate(id, graceMs),
      runTask: (id, launch) => {
        this.launchingOn = id;
        hosts.runTask(id, launch);
      },
      stopTask: (id, arn, reason) => {
        const process = this.byArn.get(arn);
        if (process !== undefined) process.stopAsked = true;
        hosts.stopTask(id, arn, reason);
      },
      adopt: (instances, tasks) => hosts.adopt(instances, tasks),
      close: (how) => hosts.close(how),
    };
  }

  isAlive(process: Process): boolean {
    return process.exitedAt === undefined && this.hosts.running(process.hostId).includes(process.arn);
  }

  private start(container: ContainerSpec, launch: TaskLaunch): Run {
    const { clock, behave, onStart, onExit } = this.options;
    const attempt = Number(container.environment.BERTH_ATTEMPT);
    const run = behave(container, attempt);
    // What cannot be pulled is no process.
    if (run.failsToStart !== undefined) return run;
    const process: Process = {
      taskId: container.environment.BERTH_TASK_ID ?? '',
      attempt,
      arn: launch.taskArn,
      hostId: this.launchingOn,
      startedAt: clock.now(),
      stopAsked: false,
    };
    const earlier = this.byTask.get(process.taskId);
    if (earlier === undefined) this.byTask.set(process.taskId, [process]);
    else earlier.push(process);
    this.byArn.set(process.arn, process);
    onStart(process);
    const { runMs, startMs = 0 } = run;
    if (runMs !== undefined) {
      // Set before the container's own timer, so that at the same moment this one looks first.
      clock.after(startMs + runMs, () => {
        if (process.stopAsked || !this.isAlive(process)) return;
        process.exitedAt = clock.now();
        process.exitCode = run.exitCode ?? 0;
        onExit(process);
      });
    }
    return run;
  }
}
