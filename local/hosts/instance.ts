import type { CgroupMounts } from '../../agent/cgroupMounts.ts';
import type { AgentProcess } from './agentProcess.ts';
import type { ContainerChange, InstanceSpec, TaskLaunch } from './backend.ts';
import {
  childGroups,
  createSlice,
  ecsCgroup,
  instanceCgroup,
  removeSlice,
  taskCgroup,
} from './cgroupSlice.ts';
import type { HostFiles } from './hostFiles.ts';
import { type TaskHost, TaskRun } from './taskRun.ts';

const MIB = 1024 * 1024;
const CPU_UNITS = 1024;
/** As a Linux of this size would allow; keeps a fork bomb inside its instance. */
const INSTANCE_PIDS = 32_768;
/** Network namespaces that are ready when the instance is. */
const WARM_NETWORKS = 1;

export interface InstanceParts {
  readonly mounts: CgroupMounts;
  readonly files: HostFiles;
  readonly agent: AgentProcess | undefined;
  readonly taskHost: Omit<TaskHost, 'report' | 'finished' | 'saveLog' | 'place'>;
  readonly owner: string;
  changed(taskArn: string, change: ContainerChange): void;
  log(line: string): void;
}

/** One instance: a cgroup sized to its type, its agent, and the tasks on it. Plays the part of the ECS agent. */
export class Instance {
  readonly spec: InstanceSpec;
  readonly tasks = new Map<string, TaskRun>();
  readonly #parts: InstanceParts;
  readonly #cleaning = new Set<Promise<void>>();
  #ready: Promise<void>;
  terminating = false;

  constructor(spec: InstanceSpec, parts: InstanceParts) {
    this.spec = spec;
    this.#parts = parts;
    this.#ready = Promise.resolve();
  }

  get networks(): TaskHost['networks'] {
    return this.#parts.taskHost.networks;
  }

  /** Makes the slice and starts the agent. Safe to repeat on what an earlier process left. */
  boot(): Promise<void> {
    const { mounts, files, agent } = this.#parts;
    const { instanceId, vcpus, memoryMiB } = this.spec;
    this.#ready = (async () => {
      files.createInstance(instanceId);
      createSlice(mounts, instanceCgroup(instanceId), {
        cpus: vcpus,
        cpuShares: vcpus * CPU_UNITS,
        memoryBytes: memoryMiB * MIB,
        pids: INSTANCE_PIDS,
      });
      createSlice(mounts, ecsCgroup(instanceId), {});
      await Promise.all([agent?.start(), this.networks.stock(WARM_NETWORKS)]);
    })();
    return this.#ready;
  }

  runTask(launch: TaskLaunch): void {
    if (this.tasks.has(launch.taskArn)) return;
    const run = this.#track(launch);
    try {
      this.#prepare(launch);
    } catch (error) {
      // E.g. a limit the kernel refuses: the task's fault or the machine's, but never a reason to fall silent.
      run.abandon(`ResourceInitializationError: ${(error as Error).message}`);
      return;
    }
    run.begin();
  }

  #prepare(launch: TaskLaunch): void {
    const { mounts, files } = this.#parts;
    files.markLaunched(this.spec.instanceId, launch.ecsTaskId);
    const cpus =
      launch.cpuUnits === undefined ? undefined : Math.min(launch.cpuUnits / CPU_UNITS, this.spec.vcpus);
    createSlice(mounts, taskCgroup(this.spec.instanceId, launch.ecsTaskId), {
      ...(cpus === undefined ? {} : { cpus, cpuShares: Math.round(cpus * CPU_UNITS) }),
      ...(launch.memoryMiB === undefined ? {} : { memoryBytes: launch.memoryMiB * MIB }),
    });
  }

  /** Goes on with a task of an earlier process: with its containers, or with the knowledge that they are gone. */
  resumeTask(launch: TaskLaunch, found: Parameters<TaskRun['resume']>[0]): void {
    if (found.length > 0) {
      const run = this.#track(launch);
      this.#prepare(launch);
      run.resume(found);
    } else if (this.#parts.files.wasLaunched(this.spec.instanceId, launch.ecsTaskId)) {
      this.#track(launch).abandon('The containers were removed while the host was unobserved');
    } else {
      this.runTask(launch);
    }
  }

  #track(launch: TaskLaunch): TaskRun {
    const { files, changed, owner, taskHost } = this.#parts;
    const run = new TaskRun(launch, {
      ...taskHost,
      place: { instanceId: this.spec.instanceId, owner },
      report: (change) => changed(launch.taskArn, change),
      saveLog: (container, file) => files.saveLog(container, launch.ecsTaskId, file),
      finished: () => {
        const cleaning = this.#cleanUp(run).finally(() => this.#cleaning.delete(cleaning));
        this.#cleaning.add(cleaning);
      },
    });
    this.tasks.set(launch.taskArn, run);
    return run;
  }

  async #cleanUp(run: TaskRun): Promise<void> {
    const { mounts, files, log } = this.#parts;
    const { ecsTaskId, taskArn } = run.launch;
    try {
      await run.cleanUp();
      await removeSlice(mounts, taskCgroup(this.spec.instanceId, ecsTaskId));
      files.forgetLaunch(this.spec.instanceId, ecsTaskId);
    } catch (error) {
      log(`cleaning up after ${taskArn}: ${(error as Error).message}`);
    } finally {
      this.tasks.delete(taskArn);
    }
  }

  /** Stops every task within the grace, then the agent, then removes the slice. */
  async terminate(graceMs: number, reason: string): Promise<void> {
    this.terminating = true;
    await this.#ready.catch(() => undefined);
    for (const run of this.tasks.values()) run.stop(reason, Math.ceil(graceMs / 1000));
    await this.#parts.agent?.stop();
    await Promise.all([...this.tasks.values()].map((run) => run.ended));
    await Promise.all(this.#cleaning);
    await this.networks.close();
    await removeSlice(this.#parts.mounts, instanceCgroup(this.spec.instanceId));
    this.#parts.files.removeInstance(this.spec.instanceId);
  }

  /** Removes groups of tasks that no record names; their containers are gone already. */
  async removeStrangeSlices(): Promise<void> {
    const known = new Set([...this.tasks.values()].map(({ launch }) => launch.ecsTaskId));
    for (const name of childGroups(this.#parts.mounts, ecsCgroup(this.spec.instanceId))) {
      if (!known.has(name)) await removeSlice(this.#parts.mounts, taskCgroup(this.spec.instanceId, name));
    }
  }

  /** Leaves the tasks running and ends only what observes them. */
  async release(): Promise<void> {
    await this.#ready.catch(() => undefined);
    await Promise.all(this.#cleaning);
    await this.#parts.agent?.stop();
  }
}
