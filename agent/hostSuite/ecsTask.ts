import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IsolationProfile } from '../../layers/domain/isolation/profile.ts';
import { type CgroupMounts, cgroupDirectories, controllerDirectory } from '../cgroupMounts.ts';
import type { ContainerInspection } from '../dockerApi.ts';
import { eventually } from './agentUnderTest.ts';
import type { StubEngine } from './stubEngine.ts';
import { apart, connect, hasOwnNetwork } from './taskNetwork.ts';

/** How this machine's ECS would shape its cgroups. */
export interface EcsShape {
  readonly mounts: CgroupMounts;
  /** The group below which tasks lie. */
  readonly parent: string;
  /** Whether systemd owns the groups. */
  readonly systemd: boolean;
}

const V2_CONTROLLERS = '+cpuset +cpu +io +memory +pids +hugetlb';

/** Makes a group in every hierarchy, ready for processes, as an engine with the cgroupfs driver does. */
export function makeGroup(mounts: CgroupMounts, path: string): void {
  let parent = '';
  for (const part of path.split('/').slice(1)) {
    if (mounts.version === 2)
      writeFileSync(`${mounts.unified}${parent}/cgroup.subtree_control`, V2_CONTROLLERS);
    parent += `/${part}`;
    for (const directory of cgroupDirectories(mounts, parent)) mkdirSync(directory, { recursive: true });
    const cpuset = mounts.version === 1 ? controllerDirectory(mounts, 'cpuset', parent) : undefined;
    for (const file of cpuset === undefined ? [] : ['cpuset.cpus', 'cpuset.mems']) {
      if (readFileSync(`${cpuset}/${file}`, 'utf8').trim() !== '') continue;
      writeFileSync(`${cpuset}/${file}`, readFileSync(`${dirname(cpuset ?? '')}/${file}`, 'utf8').trim());
    }
  }
}

/** Removes a group and what is below it, killing what runs there; bounded. */
export async function removeGroup(mounts: CgroupMounts, path: string): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    const left = cgroupDirectories(mounts, path).filter((directory) => !removed(directory));
    if (left.length === 0) return;
    for (const pid of left.flatMap(processes)) kill(pid);
    await sleep(20);
  }
  throw new Error(`${path} could not be removed`);
}

function removed(directory: string): boolean {
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory() && !removed(join(directory, entry.name))) return false;
    }
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function processes(directory: string): number[] {
  if (!existsSync(directory)) return [];
  const below = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').map(Number);
  return [...own.filter((pid) => pid > 0), ...below.flatMap(({ name }) => processes(join(directory, name)))];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** A task's slice as the ECS agent asks systemd for it: transient, with the task's own limits. */
function startSlice(slice: string): void {
  const manager = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ];
  const quotaUs = availableParallelism() * 1e6;
  const limits = ['CPUQuotaPerSecUSec', 't', String(quotaUs), 'MemoryMax', 't', String(2 ** 29)];
  const call = ['StartTransientUnit', 'ssa(sv)a(sa(sv))', slice, 'replace', '2', ...limits, '0'];
  execFileSync('busctl', ['call', ...manager, ...call], { stdio: 'ignore' });
  const group = `/sys/fs/cgroup/ecstasks.slice/${slice}`;
  // The call returns when the job is queued.
  for (let wait = 0; wait < 200 && !existsSync(`${group}/cpu.max`); wait += 1)
    execFileSync('sleep', ['0.02']);
}

/** What its container asks for. */
export interface Request {
  readonly cpuShares?: number;
  readonly memoryBytes?: number;
}

/** One ECS task with one container, made in the order the ECS agent and Docker make it. */
export class EcsTask {
  readonly id = randomBytes(8).toString('hex');
  readonly containerId = randomBytes(32).toString('hex');
  readonly #shape: EcsShape;
  readonly #engine: StubEngine;
  readonly #profile: IsolationProfile;
  #request: Request = {};
  #child: ChildProcess | undefined;

  constructor(shape: EcsShape, engine: StubEngine, profile: IsolationProfile) {
    this.#shape = shape;
    this.#engine = engine;
    this.#profile = profile;
  }

  /** The task's group below the mount. */
  get cgroup(): string {
    return this.#shape.mounts.version === 2
      ? `${this.#shape.parent}/ecstasks-${this.id}.slice`
      : `${this.#shape.parent}/${this.id}`;
  }

  /** Name of the container's group inside the task's. */
  get container(): string {
    return this.#shape.mounts.version === 2 ? `docker-${this.containerId}.scope` : this.containerId;
  }

  get slice(): string {
    return `ecstasks-${this.id}.slice`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  file(controller: string, name: string, below = ''): string {
    return `${controllerDirectory(this.#shape.mounts, controller, this.cgroup)}${below}/${name}`;
  }

  read(controller: string, name: string): string {
    return readFileSync(this.file(controller, name), 'utf8').trim();
  }

  /** Of the container's own group. */
  readBelow(controller: string, name: string): string {
    return readFileSync(this.file(controller, name, `/${this.container}`), 'utf8').trim();
  }

  write(controller: string, name: string, value: string): void {
    writeFileSync(this.file(controller, name), value);
  }

  /** The group as the ECS agent makes it, and the container's creation as the engine announces it. */
  create({ cpuShares = 512, memoryBytes = 0 }: Request = {}): void {
    this.#request = { cpuShares, memoryBytes };
    if (this.#shape.systemd) {
      startSlice(this.slice);
    } else {
      makeGroup(this.#shape.mounts, this.cgroup);
    }
    this.#engine.announce('create', this.#inspection(0));
  }

  /** Starts a process that is in the container's group before it runs the command. */
  start(command: string): void {
    this.#spawn(['sh', '-c', command]);
    this.#engine.announce('start', this.#inspection(this.pid));
  }

  /** The same with a network of its own, which the engine, too, has made when it tells of the start. */
  async startApart(command: string): Promise<void> {
    this.#spawn(apart(['sh', '-c', command]));
    await eventually(() => assert.ok(hasOwnNetwork(this.pid)), 20_000);
    connect(this.pid);
    this.#engine.announce('start', this.#inspection(this.pid));
  }

  #spawn(argv: readonly string[]): void {
    const container = `${this.cgroup}/${this.container}`;
    if (this.#shape.systemd) {
      const unit = `--unit=docker-${this.containerId}`;
      // Docker's systemd driver delegates its scopes, which switches every controller on above them.
      const scope = ['--scope', '--quiet', '--property=Delegate=yes', `--slice=${this.slice}`, unit];
      this.#child = spawn('systemd-run', [...scope, ...argv], { stdio: 'ignore' });
    } else {
      makeGroup(this.#shape.mounts, container);
      const joins = cgroupDirectories(this.#shape.mounts, container).map(
        (directory) => `echo $$ >${directory}/cgroup.procs`,
      );
      this.#child = spawn('sh', ['-c', `${joins.join('; ')}; exec "$@"`, 'sh', ...argv], { stdio: 'ignore' });
    }
  }

  async remove(): Promise<void> {
    this.#engine.remove(this.containerId);
    if (this.#shape.systemd) {
      // The scope is gone already when its process has ended; stopping the slice takes it along in any case.
      execFileSync('systemctl', ['stop', this.slice], { stdio: 'ignore' });
    }
    await removeGroup(this.#shape.mounts, this.cgroup);
  }

  #inspection(pid: number): ContainerInspection {
    return {
      Id: this.containerId,
      Created: new Date().toISOString(),
      Config: {
        Env: [
          `BERTH_TASK_ID=${this.id}`,
          'BERTH_ATTEMPT=1',
          `BERTH_ISOLATION=${JSON.stringify(this.#profile)}`,
        ],
        Labels: { 'com.amazonaws.ecs.task-arn': `arn:aws:ecs:us-east-1:000000000000:task/demo/${this.id}` },
      },
      HostConfig: {
        CgroupParent: this.#shape.systemd ? this.slice : this.cgroup,
        CpuShares: this.#request.cpuShares ?? 0,
        Memory: this.#request.memoryBytes ?? 0,
        MemoryReservation: 0,
      },
      State: {
        Running: pid > 0,
        Pid: pid,
        StartedAt: pid > 0 ? new Date().toISOString() : '0001-01-01T00:00:00Z',
      },
    };
  }
}
