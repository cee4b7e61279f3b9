import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostReport } from '../../layers/domain/isolation/hostReport.ts';
import { agentIsReady } from '../lock.ts';
import { MALLOC_SETTINGS, NODE_FLAGS } from '../nodeFlags.ts';

/** Asks again until it holds; the error carries what was seen last. */
export async function eventually(check: () => void | Promise<void>, boundMs: number): Promise<void> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await sleep(5);
    }
  }
}

/** For values whose being in time is not what a test is about: systemd on a busy machine takes its time. */
export const STANDS_BOUND_MS = 20_000;
/** Generous: under emulation on a busy machine even a start takes its time. */
const READY_BOUND_MS = 120_000;

/** As `berth-agent.service` has it: with that right, which root has, the kernel would keep a thread for each group it watches. */
const WITHOUT_RESOURCE = ['--bounding-set', '-sys_resource', '--inh-caps', '-sys_resource'];

/** The real agent, as its own process. */
export class AgentUnderTest {
  readonly instanceId: string;
  readonly #entry: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(entry: string, engineSocket: string, cgroupParent: string) {
    this.instanceId = `i-suite${process.pid}`;
    this.#entry = entry;
    const directory = mkdtempSync(join(tmpdir(), 'berth-suite-'));
    this.#logFile = join(directory, 'agent.log');
    this.#environment = {
      ...MALLOC_SETTINGS,
      PATH: process.env.PATH ?? '',
      BERTH_INSTANCE_ID: this.instanceId,
      BERTH_INSTANCE_ARN: `arn:aws:ec2:us-east-1:000000000000:instance/${this.instanceId}`,
      BERTH_CLUSTER: 'suite',
      BERTH_CGROUP_PARENT: cgroupParent,
      BERTH_STATE_DIR: join(directory, 'state'),
      DOCKER_HOST: `unix://${engineSocket}`,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** Paths of the files it has open. */
  get openFiles(): string[] {
    const directory = `/proc/${this.#child?.pid}/fd`;
    return readdirSync(directory).flatMap((descriptor) => {
      try {
        return readlinkSync(join(directory, descriptor));
      } catch {
        // Closed meanwhile.
        return [];
      }
    });
  }

  /** What it knows now, from its status socket. */
  async report(): Promise<HostReport> {
    const socket = join(this.#environment.BERTH_STATE_DIR ?? '', 'status.sock');
    return JSON.parse(await text(createConnection(socket))) as HostReport;
  }

  start(): void {
    const output = openSync(this.#logFile, 'a');
    const argv = [...WITHOUT_RESOURCE, process.execPath, ...NODE_FLAGS, this.#entry, 'run'];
    this.#child = spawn('setpriv', argv, {
      env: this.#environment,
      stdio: ['ignore', output, output],
    });
  }

  async ready(): Promise<void> {
    await eventually(async () => {
      if (!(await agentIsReady(this.instanceId))) throw new Error(`the agent is not ready:\n${this.log}`);
    }, READY_BOUND_MS);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.alive) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
}
