import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerChange, ContainerSpec, HostObserver, InstanceSpec, TaskLaunch } from './backend.ts';
import { DEMO_IMAGE } from './image.ts';

/** For tests and benchmarks of the hosts: what a host reported, and a way to wait for it. */
export class Recorder implements HostObserver {
  readonly lines: string[] = [];
  readonly changes = new Map<string, ContainerChange>();
  readonly history: { readonly taskArn: string; readonly change: ContainerChange }[] = [];
  readonly #waiters = new Set<() => void>();

  booted(instanceId: string): void {
    this.#note(`booted ${instanceId}`);
  }
  bootFailed(instanceId: string, reason: string): void {
    this.#note(`bootFailed ${instanceId} ${reason}`);
  }
  terminated(instanceId: string, reason: string): void {
    this.#note(`terminated ${instanceId} ${reason}`);
  }
  agentConnected(instanceId: string, connected: boolean): void {
    this.#note(`agentConnected ${instanceId} ${connected}`);
  }
  containerChanged(_instanceId: string, taskArn: string, change: ContainerChange): void {
    this.changes.set(`${taskArn} ${change.containerName}`, change);
    this.history.push({ taskArn, change });
    this.#note(`${taskArn.slice(-8)} ${change.containerName} ${change.status} ${change.reason ?? ''}`);
  }

  #note(line: string): void {
    this.lines.push(line);
    for (const check of this.#waiters) check();
  }

  /** Resolves with the first defined answer of `look`, asked again after every report. */
  async until<T>(look: () => T | undefined, boundMs = 30_000): Promise<T> {
    const found = look();
    if (found !== undefined) return found;
    const timer = new AbortController();
    try {
      return await Promise.race([
        new Promise<T>((resolve) => {
          this.#waiters.add(() => {
            const value = look();
            if (value !== undefined) resolve(value);
          });
        }),
        sleep(boundMs, undefined, { signal: timer.signal }).then(() => {
          throw new Error(`not within ${boundMs} ms; reported so far:\n${this.lines.join('\n')}`);
        }),
      ]);
    } finally {
      timer.abort();
    }
  }

  saw(line: string, boundMs?: number): Promise<true> {
    return this.until(() => this.lines.includes(line) || undefined, boundMs);
  }

  /** The container's change once it has the status. */
  status(launch: TaskLaunch, name: string, status: ContainerChange['status'], boundMs?: number) {
    return this.until(() => {
      const change = this.changes.get(`${launch.taskArn} ${name}`);
      return change?.status === status ? change : undefined;
    }, boundMs);
  }
}

export const temporaryDataDir = (): { readonly path: string; remove(): void } => {
  const path = mkdtempSync(join(tmpdir(), 'berth-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

export const anInstance = (overrides: Partial<InstanceSpec> = {}): InstanceSpec => ({
  instanceId: `i-${randomBytes(8).toString('hex')}0`,
  instanceType: 'c7i.large',
  vcpus: 2,
  memoryMiB: 4096,
  architecture: 'x86_64',
  zone: 'us-east-1a',
  lifecycle: 'on-demand',
  privateIp: '10.0.0.10',
  userData: '',
  tags: {},
  ...overrides,
});

export const aContainer = (overrides: Partial<ContainerSpec> = {}): ContainerSpec => ({
  name: 'main',
  image: DEMO_IMAGE,
  command: ['sleep', '300'],
  environment: {},
  cpuUnits: 256,
  memoryMiB: 128,
  essential: true,
  readonlyRootFilesystem: false,
  privileged: false,
  portMappings: [],
  dependsOn: [],
  stopTimeoutSeconds: 1,
  labels: {},
  ...overrides,
});

export const aTask = (
  containers: readonly ContainerSpec[],
  overrides: Partial<TaskLaunch> = {},
): TaskLaunch => {
  const ecsTaskId = randomBytes(16).toString('hex');
  return {
    taskArn: `arn:aws:ecs:us-east-1:000000000000:task/demo/${ecsTaskId}`,
    ecsTaskId,
    clusterName: 'demo',
    family: 'demo',
    revision: 1,
    networkMode: 'bridge',
    containers,
    ...overrides,
  };
};
