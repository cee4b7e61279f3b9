import type { Cancel, EngineClock } from '../engine/clock.ts';
import type { ContainerChange, ContainerSpec, TaskLaunch } from './backend.ts';
import { type DependencyState, readiness } from './dependencies.ts';
import type { Run } from './virtualRun.ts';

interface VirtualContainer {
  readonly spec: ContainerSpec;
  readonly run: Run;
  phase: DependencyState['phase'];
  change: ContainerChange;
  timer: Cancel | undefined;
}

/** Exit code of a process that SIGTERM ended. */
const TERMINATED = 143;

/** The containers of one task in virtual time, started in the order of their dependencies. */
export class VirtualTask {
  private readonly clock: EngineClock;
  private readonly launch: TaskLaunch;
  private readonly say: (change: ContainerChange) => void;
  private readonly containers: readonly VirtualContainer[];
  private stopping = false;

  constructor(
    clock: EngineClock,
    launch: TaskLaunch,
    run: (container: ContainerSpec, launch: TaskLaunch) => Run,
    say: (change: ContainerChange) => void,
  ) {
    this.clock = clock;
    this.launch = launch;
    this.say = say;
    this.containers = launch.containers.map((spec) => ({
      spec,
      run: run(spec, launch),
      phase: 'waiting',
      change: { containerName: spec.name, status: 'PENDING' },
      timer: undefined,
    }));
  }

  get over(): boolean {
    return this.containers.every((container) => container.phase === 'stopped');
  }

  /** Starts what may start now; called again whenever a container has started or ended. */
  begin(): void {
    for (const container of this.containers) {
      if (container.phase !== 'waiting' || this.stopping) continue;
      const ready = readiness(container.spec, (name) => this.stateOf(name));
      if (ready === 'wait') continue;
      if (ready !== 'ready') {
        this.end(container, { reason: `CannotStartContainerError: ${ready.never}` });
        continue;
      }
      container.phase = 'launching';
      container.timer = this.clock.after(container.run.startMs ?? 0, () => this.up(container));
    }
  }

  /** SIGTERM to all; what has not started never will. */
  stop(): void {
    if (this.stopping) return;
    this.stopping = true;
    for (const container of this.containers) {
      if (container.phase === 'stopped') continue;
      const isUp = container.phase === 'running';
      container.timer?.();
      const timeoutMs = container.spec.stopTimeoutSeconds * 1000;
      const delayMs = isUp ? Math.min(container.run.stopMs ?? 0, timeoutMs) : 0;
      container.timer = this.clock.after(delayMs, () =>
        this.end(container, isUp ? { exitCode: TERMINATED } : {}),
      );
    }
  }

  /** Ends everything without a word, as a power cut does. */
  kill(): void {
    for (const container of this.containers) {
      container.timer?.();
      container.phase = 'stopped';
    }
  }

  exit(containerName: string, exitCode: number): void {
    const container = this.containers.find(({ spec }) => spec.name === containerName);
    if (container?.phase === 'running') this.end(container, { exitCode });
  }

  report(): void {
    for (const { change } of this.containers) this.say(change);
  }

  private stateOf(name: string): DependencyState | undefined {
    const container = this.containers.find(({ spec }) => spec.name === name);
    if (container === undefined) return undefined;
    const { exitCode } = container.change;
    return {
      phase: container.phase,
      everStarted: container.change.startedAt !== undefined,
      healthy: false,
      ...(exitCode === undefined ? {} : { exitCode }),
    };
  }

  private up(container: VirtualContainer): void {
    const { run, spec } = container;
    if (run.failsToStart !== undefined) {
      this.end(container, { reason: run.failsToStart });
      return;
    }
    container.phase = 'running';
    const { runMs } = run;
    container.timer =
      runMs === undefined
        ? undefined
        : this.clock.after(runMs, () =>
            this.end(container, {
              exitCode: run.exitCode ?? 0,
              ...(run.reason === undefined ? {} : { reason: run.reason }),
            }),
          );
    this.tell(container, {
      containerName: spec.name,
      status: 'RUNNING',
      runtimeId: `${this.launch.ecsTaskId}-${spec.name}`,
      startedAt: this.clock.now(),
    });
    this.begin();
  }

  private end(container: VirtualContainer, end: Pick<ContainerChange, 'exitCode' | 'reason'>): void {
    container.timer?.();
    container.phase = 'stopped';
    this.tell(container, { ...container.change, ...end, status: 'STOPPED', finishedAt: this.clock.now() });
    this.begin();
  }

  private tell(container: VirtualContainer, change: ContainerChange): void {
    container.change = change;
    this.say(change);
  }
}
