import { setTimeout as sleep } from 'node:timers/promises';
import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import type { DockerApi, DockerEvent } from './dockerApi.ts';
import type { Journal } from './journal.ts';
import { readPressure } from './pressure.ts';
import type { Settings } from './settings.ts';
import type { TaskTable } from './taskTable.ts';
import { viewContainer } from './taskView.ts';

export const AGENT_VERSION = '0.1.0';

export interface AgentParts {
  readonly settings: Settings;
  readonly mounts: CgroupMounts;
  readonly fs: CgroupFs;
  readonly docker: DockerApi;
  readonly table: TaskTable;
  readonly journal: Journal;
  readonly capabilities: Readonly<Record<string, string>>;
  /** Sends a report; failures are logged and tried again. Absent: nobody is told. */
  readonly send?: (report: HostReport) => Promise<void>;
  /** Called when new tasks get their limits from here on; again after each reconnection to Docker. */
  ready(): void;
  log(line: string): void;
}

/** How often everything is read again, for what no watch has told. */
const TICK_MS = 10_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Inspections at once when taking over; a burst must not stand between a new task and its limits. */
const INSPECTS_AT_ONCE = 8;

/** The host process: finds tasks, makes their values stand, and tells. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #closing = new AbortController();

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /** Runs until `stop`. Limits stay as they are then. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    const unwatch = this.#watchParent();
    await Promise.all([this.#followEvents(signal), this.#tick(signal)]);
    unwatch();
    this.#parts.table.close();
  }

  stop(): void {
    this.#closing.abort();
  }

  async #followEvents(signal: AbortSignal): Promise<void> {
    const { docker, settings, log } = this.#parts;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        let adopting: Promise<void> | undefined;
        for await (const event of docker.events(settings.labels, signal, () => {
          retryMs = FIRST_RETRY_MS;
          // Only now: what starts from here on is in the stream, so nothing falls between the two.
          adopting = this.#adopt();
        })) {
          void this.#event(event);
        }
        await adopting;
      } catch (error) {
        if (!signal.aborted) log(`following Docker: ${(error as Error).message}`);
      }
      await pause(retryMs, signal);
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    }
  }

  /** Takes over what is there: the same as seeing it for the first time, since values that stand are not written. */
  async #adopt(): Promise<void> {
    const { docker, settings, table, journal, ready, log } = this.#parts;
    try {
      const ids = await docker.list(settings.labels);
      const next = ids.values();
      const worker = async (): Promise<void> => {
        for (const id of next) await this.#look(id);
      };
      await Promise.all(Array.from({ length: INSPECTS_AT_ONCE }, worker));
      journal.keepOnly(table.dropGone());
      ready();
      await this.#report();
    } catch (error) {
      log(`taking over: ${(error as Error).message}`);
    }
  }

  async #event(event: DockerEvent): Promise<void> {
    if (event.Action !== 'create' && event.Action !== 'start') return;
    try {
      await this.#look(event.Actor.ID);
    } catch (error) {
      this.#parts.log(`looking at container ${event.Actor.ID.slice(0, 12)}: ${(error as Error).message}`);
    }
  }

  async #look(containerId: string): Promise<void> {
    const { docker, settings, table, mounts, fs } = this.#parts;
    const inspection = await docker.inspect(containerId);
    const view = inspection === undefined ? undefined : viewContainer(inspection, settings.cgroupParent);
    if (view === undefined) return;
    const cgroup = view.taskCgroup ?? cgroupOfProcess(fs, mounts, view.pid, view.containerId);
    if (cgroup !== undefined) table.seen(view, cgroup);
  }

  /** Tasks come and go as directories below ECS's group; it is watched, never made. */
  #watchParent(): () => void {
    const { fs, mounts, settings, table, journal, log } = this.#parts;
    const directory = controllerDirectory(mounts, 'cpu', settings.cgroupParent);
    if (directory === undefined || fs.inode(directory) === undefined) return () => {};
    try {
      return fs.watch(directory, () => journal.keepOnly(table.dropGone()));
    } catch (error) {
      log(`no watch on ${directory}: ${(error as Error).message}`);
      return () => {};
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(TICK_MS, signal);
      if (signal.aborted) return;
      this.#parts.journal.keepOnly(this.#parts.table.dropGone());
      this.#parts.table.reconcileAll();
      await this.#report();
    }
  }

  async #report(): Promise<void> {
    const { send, log } = this.#parts;
    try {
      await send?.(this.report(Date.now()));
    } catch (error) {
      log(`reporting: ${(error as Error).message}`);
    }
  }

  report(nowMs: number): HostReport {
    const { settings, capabilities, table, fs, mounts } = this.#parts;
    return {
      instanceId: settings.instanceId,
      cluster: settings.cluster,
      seenAt: nowMs,
      agentVersion: AGENT_VERSION,
      capabilities,
      tasks: table.report(),
      pressure: readPressure(fs, mounts, settings.cgroupParent),
    };
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/**
 * The group of a container that ECS put in none of its own: taken only when the group is named after the container, so
 * that nothing else is ever in it.
 */
function cgroupOfProcess(
  fs: CgroupFs,
  mounts: CgroupMounts,
  pid: number,
  containerId: string,
): string | undefined {
  if (pid <= 0) return undefined;
  let content: string;
  try {
    content = fs.read(`/proc/${pid}/cgroup`);
  } catch {
    // The process has ended.
    return undefined;
  }
  const lines = content
    .trim()
    .split('\n')
    .map((line) => line.split(':'));
  const line = lines.find(([, controllers]) =>
    mounts.version === 2 ? controllers === '' : controllers?.split(',').includes('memory'),
  );
  const path = line?.[2];
  return path?.split('/').at(-1)?.includes(containerId) ? path : undefined;
}
