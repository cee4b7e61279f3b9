import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { Container, ContainerInspectInfo } from 'dockerode';
import type { ContainerChange, ContainerSpec, TaskLaunch } from './backend.ts';
import { type ContainerPlace, containerBody, containerName } from './containerBody.ts';
import { ending, engineError, engineTime, networkBindings } from './containerState.ts';
import { dependents, readiness } from './dependencies.ts';
import type { ContainerEvent } from './dockerEvents.ts';
import type { ImageShelf } from './imageShelf.ts';
import { holderOf, type NetworkShelf } from './networkShelf.ts';
import type { Semaphore } from './semaphore.ts';

/** What a task needs of its host. */
export interface TaskHost {
  readonly docker: Docker;
  readonly images: ImageShelf;
  readonly networks: NetworkShelf;
  readonly bridgeNetwork: string;
  /** Starting is heavy in the engine: past a few at once, every start only gets slower. */
  readonly starts: Semaphore;
  readonly place: Omit<ContainerPlace, 'bridgeNetwork'>;
  report(change: ContainerChange): void;
  saveLog(container: Container, file: string): Promise<void>;
  /** Every container has been reported stopped and is to be forgotten; called once. */
  finished(): void;
  log(line: string): void;
}

interface Member {
  readonly spec: ContainerSpec;
  phase: 'waiting' | 'launching' | 'running' | 'stopped';
  everStarted: boolean;
  healthy: boolean;
  oomSeen: boolean;
  stopAsked: boolean;
  exitCode?: number;
  container?: Container;
  /** Docker's network mode, kept until the container is removed. */
  network?: string;
  /** Resolves when the phase is `stopped`. */
  readonly stopped: Promise<void>;
  readonly settle: () => void;
}

/** The engine being away is no fault of the task: the call is repeated until this has passed. */
const ENGINE_AWAY_BOUND_MS = 60_000;
const ENGINE_RETRY_MS = 250;
/** The engine itself waits the stop timeout; past this beside it, the container is killed. */
const STOP_MARGIN_MS = 10_000;

/** One task's containers from first start to last stop, in the order of their dependencies. */
export class TaskRun {
  readonly launch: TaskLaunch;
  readonly #host: TaskHost;
  readonly #members = new Map<string, Member>();
  #stopping: { readonly reason: string; readonly graceSeconds: number | undefined } | undefined;
  #finished = false;
  /** Resolves when every container has stopped. */
  readonly ended: Promise<void>;

  constructor(launch: TaskLaunch, host: TaskHost) {
    this.launch = launch;
    this.#host = host;
    for (const spec of launch.containers) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#members.set(spec.name, {
        spec,
        phase: 'waiting',
        everStarted: false,
        healthy: false,
        oomSeen: false,
        stopAsked: false,
        stopped: promise,
        settle: resolve,
      });
    }
    this.ended = Promise.all([...this.#members.values()].map((member) => member.stopped)).then(
      () => undefined,
    );
  }

  /** Starts what may start; the rest follows as dependencies are met. */
  begin(): void {
    for (const { spec } of this.#members.values()) this.#report(spec, { status: 'PENDING' });
    this.#advance();
  }

  /** Takes over containers that an earlier process made, and goes on from where they are. */
  resume(found: readonly ContainerInspectInfo[]): void {
    for (const info of found) {
      const member = this.#byContainerName(info.Name);
      if (member === undefined) continue;
      member.container = this.#host.docker.getContainer(info.Id);
      if (info.HostConfig.NetworkMode !== undefined) member.network = info.HostConfig.NetworkMode;
      this.#apply(member, info);
    }
    this.#advance();
  }

  /** No container of the task exists any more although it was launched: what it did is unknown, so it is over. */
  abandon(reason: string): void {
    this.#stopping = { reason, graceSeconds: 0 };
    for (const member of this.#members.values()) this.#finish(member, { reason });
  }

  /** SIGTERM, SIGKILL after each container's timeout (at most `graceSeconds`); dependents go first. */
  stop(reason: string, graceSeconds?: number): void {
    const tighter = graceSeconds !== undefined && (this.#stopping?.graceSeconds ?? Infinity) > graceSeconds;
    if (this.#stopping !== undefined && !tighter) return;
    this.#stopping = { reason, graceSeconds };
    for (const member of this.#members.values()) {
      if (member.phase === 'waiting') this.#finish(member, { reason });
      else if (member.phase === 'running') void this.#stopMember(member);
    }
  }

  async event(event: ContainerEvent): Promise<void> {
    const member = [...this.#members.values()].find(({ container }) => container?.id === event.containerId);
    if (member === undefined || member.phase === 'stopped') return;
    switch (event.action) {
      case 'start':
        await this.#running(member, event.atMs);
        return;
      case 'oom':
        member.oomSeen = true;
        return;
      case 'healthy':
        member.healthy = true;
        this.#advance();
        return;
      case 'die':
      case 'destroy':
        // A start that fails dies too; its own answer tells more.
        if (member.phase === 'running') await this.#refresh(member);
        return;
    }
  }

  /** Reads where the containers are, for when events may have been missed. */
  async refreshAll(): Promise<void> {
    for (const member of this.#members.values()) {
      if (member.phase === 'running') await this.#refresh(member);
    }
  }

  async #refresh(member: Member): Promise<void> {
    try {
      const info = await member.container?.inspect();
      if (info !== undefined) this.#apply(member, info);
    } catch (error) {
      const { statusCode, message } = engineError(error);
      if (statusCode === 404) this.#finish(member, { reason: 'The container was removed from the engine' });
      else this.#host.log(`inspecting ${member.spec.name} of ${this.launch.taskArn} failed: ${message}`);
    }
  }

  #advance(): void {
    if (this.#stopping !== undefined) return;
    for (const member of this.#members.values()) {
      if (member.phase !== 'waiting') continue;
      const verdict = readiness(member.spec, (name) => this.#members.get(name));
      if (verdict === 'wait') continue;
      if (verdict !== 'ready') {
        this.#finish(member, { reason: `DependencyError: ${verdict.never}` });
        continue;
      }
      member.phase = 'launching';
      void this.#host.starts.with(() => this.#start(member));
    }
  }

  async #start(member: Member): Promise<void> {
    const deadline = Date.now() + ENGINE_AWAY_BOUND_MS;
    for (;;) {
      if (this.#stopping !== undefined) return this.#finish(member, { reason: this.#stopping.reason });
      let step = 'CannotCreateContainerError';
      try {
        const image = await this.#host.images.ensure(member.spec.image);
        if (image.failure !== undefined) {
          return this.#finish(member, { reason: `CannotPullContainerError: ${image.failure}` });
        }
        member.container ??= await this.#create(member);
        step = 'CannotStartContainerError';
        await member.container.start();
        return await this.#running(member, Date.now());
      } catch (error) {
        const { statusCode, message } = engineError(error);
        if (statusCode === 404 && member.container === undefined) {
          // The image was there a moment ago and has been removed since.
          this.#host.images.forget(member.spec.image);
          if (Date.now() < deadline) continue;
        }
        if (statusCode !== undefined && (await this.#leaveWarmNetwork(member))) continue;
        if (statusCode !== undefined) {
          return this.#finish(member, { reason: `${step}: Error response from daemon: ${message}` });
        }
        if (Date.now() >= deadline) return this.#finish(member, { reason: `${step}: ${message}` });
        await sleep(ENGINE_RETRY_MS);
      }
    }
  }

  /**
   * A failed start in a namespace of the shelf may be the namespace's fault: the container is made anew on the bridge, and
   * fails there if the fault was its own. Tells whether there was anything to leave.
   */
  async #leaveWarmNetwork(member: Member): Promise<boolean> {
    const { network, container } = member;
    if (network === undefined || holderOf(network) === undefined || member.everStarted) return false;
    await container?.remove({ force: true, v: true }).catch(() => undefined);
    this.#host.networks.discard(network);
    delete member.container;
    member.network = this.#host.bridgeNetwork;
    return true;
  }

  async #create(member: Member): Promise<Container> {
    member.network ??= this.#host.networks.take(this.launch, member.spec);
    try {
      return await this.#host.docker.createContainer(
        containerBody(this.launch, member.spec, { ...this.#host.place, bridgeNetwork: member.network }),
      );
    } catch (error) {
      // An earlier attempt whose answer was lost made it: the name is the identity.
      if (engineError(error).statusCode !== 409) throw error;
      const name = containerName(this.launch, member.spec.name);
      return this.#host.docker.getContainer((await this.#host.docker.getContainer(name).inspect()).Id);
    }
  }

  async #running(member: Member, startedAt: number): Promise<void> {
    if (member.phase !== 'launching' && member.phase !== 'waiting') return;
    member.phase = 'running';
    member.everStarted = true;
    const wantsPorts = this.launch.networkMode === 'bridge' && member.spec.portMappings.length > 0;
    // Only published ports need a second look: all else is known.
    const info = wantsPorts ? await member.container?.inspect().catch(() => undefined) : undefined;
    if (this.#isStopped(member)) return;
    this.#reportRunning(member, startedAt, info);
    if (this.#stopping === undefined) this.#advance();
    else void this.#stopMember(member);
  }

  /** Asked after a wait, in which the container may have ended: the compiler would take the phase as unchanged. */
  #isStopped(member: Member): boolean {
    return member.phase === 'stopped';
  }

  #reportRunning(member: Member, startedAt: number, info: ContainerInspectInfo | undefined): void {
    const imageDigest = this.#host.images.digest(member.spec.image);
    this.#report(member.spec, {
      status: 'RUNNING',
      startedAt,
      ...(member.container === undefined ? {} : { runtimeId: member.container.id }),
      ...(imageDigest === undefined ? {} : { imageDigest }),
      ...(info === undefined ? {} : { networkBindings: networkBindings(info) }),
    });
  }

  #apply(member: Member, info: ContainerInspectInfo): void {
    const { Status } = info.State;
    if (Status === 'running' || Status === 'paused' || Status === 'restarting') {
      member.phase = 'running';
      member.everStarted = true;
      this.#reportRunning(member, engineTime(info.State.StartedAt) ?? Date.now(), info);
    } else if (Status === 'exited' || Status === 'dead' || Status === 'removing') {
      member.everStarted ||= engineTime(info.State.StartedAt) !== undefined;
      this.#finish(member, ending(info, { oomSeen: member.oomSeen, stopAsked: member.stopAsked }));
    }
  }

  async #stopMember(member: Member): Promise<void> {
    if (member.stopAsked && this.#stopping?.graceSeconds === undefined) return;
    member.stopAsked = true;
    const before = dependents(this.launch.containers, member.spec.name).map(
      (name) => this.#members.get(name)?.stopped,
    );
    await Promise.all(before);
    const timeout = Math.min(member.spec.stopTimeoutSeconds, this.#stopping?.graceSeconds ?? Infinity);
    try {
      await Promise.race([
        member.container?.stop({ t: timeout }),
        member.stopped,
        sleep(timeout * 1000 + STOP_MARGIN_MS, undefined, { ref: false }),
      ]);
      if (!this.#isStopped(member)) await this.#refresh(member);
      if (!this.#isStopped(member)) await member.container?.kill();
    } catch (error) {
      // 304 and 409: it had stopped by itself. Any other failure shows in where the container is.
      this.#host.log(`stopping ${member.spec.name} of ${this.launch.taskArn}: ${engineError(error).message}`);
      await this.#refresh(member);
    }
  }

  #finish(member: Member, change: Omit<ContainerChange, 'containerName' | 'status'>): void {
    if (member.phase === 'stopped') return;
    member.phase = 'stopped';
    if (change.exitCode !== undefined) member.exitCode = change.exitCode;
    this.#report(member.spec, {
      status: 'STOPPED',
      ...(member.container === undefined ? {} : { runtimeId: member.container.id }),
      ...change,
    });
    member.settle();
    if (member.spec.essential) this.stop('Essential container in task exited');
    this.#advance();
    if (!this.#finished && [...this.#members.values()].every(({ phase }) => phase === 'stopped')) {
      this.#finished = true;
      this.#host.finished();
    }
  }

  /** Saves the logs and removes the containers. */
  async cleanUp(): Promise<void> {
    for (const { container, network, spec } of this.#members.values()) {
      try {
        if (container !== undefined) {
          await this.#host.saveLog(container, `${spec.name}.log`);
          await container.remove({ force: true, v: true });
        }
      } catch (error) {
        const { statusCode, message } = engineError(error);
        if (statusCode !== 404) {
          this.#host.log(`removing ${spec.name} of ${this.launch.taskArn}: ${message}`);
          continue;
        }
      }
      if (network !== undefined) this.#host.networks.giveBack(network);
    }
  }

  #byContainerName(dockerName: string): Member | undefined {
    const name = dockerName.replace(/^\//, '');
    return [...this.#members.values()].find(({ spec }) => containerName(this.launch, spec.name) === name);
  }

  #report(spec: ContainerSpec, change: Omit<ContainerChange, 'containerName'>): void {
    this.#host.report({ containerName: spec.name, ...change });
  }
}
