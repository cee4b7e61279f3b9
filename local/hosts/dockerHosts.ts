import { readFileSync } from 'node:fs';
import type { ContainerInspectInfo } from 'dockerode';
import { type CgroupMounts, parseCgroupMounts } from '../../agent/cgroupMounts.ts';
import { type AgentCommand, AgentProcess } from './agentProcess.ts';
import type { HostBackend, HostObserver, InstanceSpec, TaskLaunch } from './backend.ts';
import { networkCgroup, removeEmptyRoot } from './cgroupSlice.ts';
import type { DockerEngine } from './docker.ts';
import { type ContainerEvent, followContainers } from './dockerEvents.ts';
import { HostFiles } from './hostFiles.ts';
import { DEMO_IMAGE } from './image.ts';
import { ImageShelf } from './imageShelf.ts';
import { Instance } from './instance.ts';
import { LABELS } from './labels.ts';
import { holderOf, NetworkShelf } from './networkShelf.ts';
import { Semaphore } from './semaphore.ts';
import { removeOwned, sweepInstance } from './sweep.ts';

export interface DockerHostsOptions {
  readonly dataDir: string;
  readonly engine: DockerEngine;
  readonly log: (line: string) => void;
  /** The agent of an instance; without it, instances have none. */
  readonly agent?: (instance: InstanceSpec) => AgentCommand;
}

/** Containers started at once on the machine; more only slow each other down. */
const STARTS_AT_ONCE = 4;
/** Containers inspected at once when taking over after a restart. */
const INSPECTS_AT_ONCE = 8;

/** Instances as cgroup slices and tasks as containers of one Docker Engine. See `HostBackend` for the contract. */
export class DockerHosts implements HostBackend {
  readonly #options: DockerHostsOptions;
  readonly #mounts: CgroupMounts;
  readonly #files: HostFiles;
  readonly #images: ImageShelf;
  readonly #starts = new Semaphore(STARTS_AT_ONCE);
  readonly #instances = new Map<string, Instance>();
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #observer: HostObserver | undefined;
  #following: Promise<void> = Promise.resolve();
  #engineAway = false;

  constructor(options: DockerHostsOptions) {
    this.#options = options;
    this.#mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
    this.#files = new HostFiles(options.dataDir);
    this.#images = new ImageShelf(options.engine.docker);
  }

  observe(observer: HostObserver): void {
    this.#observer = observer;
    const { docker, owner } = this.#options.engine;
    this.#following = followContainers(
      docker,
      owner,
      {
        event: (event) => this.#event(event),
        connected: () => this.#connected(),
        disconnected: (reason) => this.#disconnected(reason),
      },
      this.#closing.signal,
    );
  }

  boot(spec: InstanceSpec): void {
    if (this.#instances.has(spec.instanceId)) return;
    const instance = this.#newInstance(spec);
    this.#inBackground(
      instance.boot().then(
        () => {
          if (instance.terminating) return;
          this.#observer?.booted(spec.instanceId);
          this.#observer?.agentConnected(spec.instanceId, !this.#engineAway);
        },
        async (error: Error) => {
          this.#instances.delete(spec.instanceId);
          await sweepInstance(this.#mounts, this.#files, spec.instanceId).catch(() => undefined);
          this.#observer?.bootFailed(spec.instanceId, error.message);
        },
      ),
    );
  }

  terminate(instanceId: string, graceMs: number): void {
    const instance = this.#instances.get(instanceId);
    if (instance === undefined || instance.terminating) return;
    const reason = 'The instance is terminated';
    this.#inBackground(
      instance
        .terminate(graceMs, reason)
        .catch((error: Error) => this.#options.log(`terminating ${instanceId}: ${error.message}`))
        .then(() => {
          this.#instances.delete(instanceId);
          this.#observer?.terminated(instanceId, reason);
        }),
    );
  }

  runTask(instanceId: string, launch: TaskLaunch): void {
    const instance = this.#instances.get(instanceId);
    if (instance !== undefined && !instance.terminating) {
      instance.runTask(launch);
      return;
    }
    for (const { name } of launch.containers) {
      this.#observer?.containerChanged(instanceId, launch.taskArn, {
        containerName: name,
        status: 'STOPPED',
        reason: `The instance ${instanceId} is not running`,
      });
    }
  }

  stopTask(instanceId: string, taskArn: string, reason: string): void {
    this.#instances.get(instanceId)?.tasks.get(taskArn)?.stop(reason);
  }

  async adopt(
    instances: readonly InstanceSpec[],
    tasks: readonly { readonly instanceId: string; readonly launch: TaskLaunch }[],
  ): Promise<void> {
    const found = await this.#containersByTask();
    const known = new Set(tasks.map(({ launch }) => launch.taskArn));
    const kept = [...found].filter(([taskArn]) => known.has(taskArn)).flatMap(([, infos]) => infos);
    const lent = new Set(kept.map(({ HostConfig }) => holderOf(HostConfig.NetworkMode)));
    // Of the network namespaces, those that a task still uses are kept, and the idle ones made anew.
    const others = [...found].filter(([taskArn]) => !known.has(taskArn)).flatMap(([, infos]) => infos);
    const strangers = others.filter(({ Id }) => !lent.has(Id));
    await removeOwned(
      this.#options.engine.docker,
      strangers.map(({ Id }) => Id),
    );
    const wanted = new Set(instances.map(({ instanceId }) => instanceId));
    for (const instanceId of this.#files.instances()) {
      if (!wanted.has(instanceId)) await sweepInstance(this.#mounts, this.#files, instanceId);
    }
    for (const spec of instances) {
      const instance = this.#newInstance(spec);
      for (const { Id, Config } of others) {
        if (lent.has(Id) && Config.Labels[LABELS.instance] === spec.instanceId) instance.networks.adopt(Id);
      }
      await instance.boot();
      this.#observer?.booted(spec.instanceId);
      this.#observer?.agentConnected(spec.instanceId, true);
    }
    for (const { instanceId, launch } of tasks) {
      const instance = this.#instances.get(instanceId);
      if (instance === undefined) this.runTask(instanceId, launch);
      else instance.resumeTask(launch, found.get(launch.taskArn) ?? []);
    }
    for (const instance of this.#instances.values()) await instance.removeStrangeSlices();
  }

  async close(options: { readonly removeAll: boolean }): Promise<void> {
    if (options.removeAll) {
      for (const instanceId of this.#instances.keys()) this.terminate(instanceId, 0);
    } else {
      await Promise.all([...this.#instances.values()].map((instance) => instance.release()));
    }
    await Promise.all(this.#background);
    this.#closing.abort();
    await this.#following;
    if (!options.removeAll) return;
    await this.#options.engine.stop();
    removeEmptyRoot(this.#mounts);
  }

  #newInstance(spec: InstanceSpec): Instance {
    const { dataDir: _, engine, log, agent } = this.#options;
    const command = agent?.(spec);
    const directory = this.#files.instanceDirectory(spec.instanceId);
    const instance = new Instance(spec, {
      mounts: this.#mounts,
      files: this.#files,
      owner: engine.owner,
      agent: command === undefined ? undefined : new AgentProcess(spec.instanceId, directory, command, log),
      taskHost: {
        docker: engine.docker,
        images: this.#images,
        networks: new NetworkShelf({
          docker: engine.docker,
          owner: engine.owner,
          instanceId: spec.instanceId,
          cgroupParent: networkCgroup(spec.instanceId),
          bridgeNetwork: engine.bridgeNetwork,
          image: DEMO_IMAGE,
          starts: this.#starts,
          log,
        }),
        bridgeNetwork: engine.bridgeNetwork,
        starts: this.#starts,
        log,
      },
      changed: (taskArn, change) => this.#observer?.containerChanged(spec.instanceId, taskArn, change),
      log,
    });
    this.#instances.set(spec.instanceId, instance);
    return instance;
  }

  async #containersByTask(): Promise<Map<string, ContainerInspectInfo[]>> {
    const { docker, owner } = this.#options.engine;
    const listed = await docker.listContainers({
      all: true,
      filters: { label: [`${LABELS.owner}=${owner}`] },
    });
    const permits = new Semaphore(INSPECTS_AT_ONCE);
    const byTask = new Map<string, ContainerInspectInfo[]>();
    await Promise.all(
      listed.map(({ Id }) =>
        permits.with(async () => {
          const info = await docker.getContainer(Id).inspect();
          const taskArn = info.Config.Labels[LABELS.taskArn] ?? '';
          byTask.set(taskArn, [...(byTask.get(taskArn) ?? []), info]);
        }),
      ),
    );
    return byTask;
  }

  #event(event: ContainerEvent): void {
    const run = this.#instances
      .get(event.labels[LABELS.instance] ?? '')
      ?.tasks.get(event.labels[LABELS.taskArn] ?? '');
    if (run !== undefined) this.#inBackground(run.event(event));
  }

  #connected(): void {
    for (const instance of this.#instances.values()) {
      if (this.#engineAway) this.#observer?.agentConnected(instance.spec.instanceId, true);
      for (const run of instance.tasks.values()) this.#inBackground(run.refreshAll());
    }
    this.#engineAway = false;
  }

  #disconnected(reason: string): void {
    if (this.#engineAway || this.#closing.signal.aborted) return;
    this.#engineAway = true;
    this.#options.log(`Docker Engine is away (${reason})`);
    for (const { spec } of this.#instances.values()) this.#observer?.agentConnected(spec.instanceId, false);
  }

  /** Keeps the work known until it ends, so that closing can wait for it. */
  #inBackground(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}
