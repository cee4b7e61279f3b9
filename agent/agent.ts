import { setTimeout as sleep } from 'node:timers/promises';
import { type Capabilities, cannot } from '../layers/domain/isolation/capability.ts';
import type { HostReport, Notice } from '../layers/domain/isolation/hostReport.ts';
import type { CgroupFs } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import { cgroupOfProcess } from './cgroupOfProcess.ts';
import { Deadlines } from './deadlines.ts';
import type { ContainerInspection, DockerApi, DockerEvent } from './dockerApi.ts';
import { INTERRUPTION_POLL_MS } from './interruption.ts';
import type { Journal } from './journal.ts';
import { readPressure } from './pressure.ts';
import { PressureGuard } from './pressureGuard.ts';
import { reportKey } from './reportKey.ts';
import type { Settings } from './settings.ts';
import { taskReport, usageOfAll } from './taskReport.ts';
import type { TaskEntry, TaskTable } from './taskTable.ts';
import { type ContainerView, viewContainer } from './taskView.ts';
import { TaskWatches } from './taskWatch.ts';

export const AGENT_VERSION = '0.1.0';

export interface AgentParts {
  readonly settings: Settings;
  readonly mounts: CgroupMounts;
  readonly fs: CgroupFs;
  readonly docker: DockerApi;
  readonly table: TaskTable;
  readonly journal: Journal;
  /** What the host can enforce now: its operator may change that at any time. */
  capabilities(): Capabilities;
  /** Who is told; a receiver's failure is logged, keeps nothing from the others, and the next report tries again. */
  readonly receivers: readonly { send(report: HostReport): Promise<void> }[];
  /** When EC2 takes the host back; absent where there is nobody to ask. */
  readonly interruption?: () => Promise<number | undefined>;
  /** A container as the engine wrote it down at its creation; undefined when only the engine can tell. */
  writtenDown(containerId: string): ContainerInspection | undefined;
  limitEgress(pid: number, megabitsPerSecond: number): Promise<void>;
  reclaim(cgroup: string, bytes: number): Promise<void>;
  /** Called when new tasks get their limits from here on; again after each reconnection to Docker. */
  ready(): void;
  /** Called at every look, for a watchdog. */
  alive(): void;
  /** Called when a look is done and reported: there is nothing to do until something happens or the next look. */
  idle(): void;
  log(line: string): void;
}

/** How often tasks' counters are read, and the host's report is due when it has changed. */
const TICK_MS = 10_000;
/** Values are read again every so many ticks, for what no watch has told. */
const TICKS_PER_CHECK = 3;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
/** Inspections at once when taking over; a burst must not stand between a new task and its limits. */
const INSPECTS_AT_ONCE = 8;
const KEPT_NOTICES = 20;
const TIMEOUT_GRACE_SECONDS = 10;
/** Before EC2 takes the host, what still runs gets this long to end by itself. */
const INTERRUPTION_LEAD_MS = 30_000;
const INTERRUPTION_GRACE_SECONDS = 20;

/** The host process: finds tasks, makes their values stand, watches them, and tells. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #closing = new AbortController();
  readonly #watches: TaskWatches;
  readonly #pressure: PressureGuard;
  readonly #deadlines: Deadlines;
  readonly #notices: Notice[] = [];
  #interruptionAt: number | undefined;
  #ticks = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    const tell = (notice: Notice): void => this.#tell(notice);
    this.#watches = new TaskWatches(parts.fs, parts.mounts, tell);
    this.#pressure = new PressureGuard({
      ...parts,
      parent: parts.settings.cgroupParent,
      watches: this.#watches,
      dryRun: parts.settings.dryRun,
      kill: (ids) => this.#killAll(ids),
      tell,
      now: Date.now,
      pause,
      later: (ms, work) => void setTimeout(work, ms),
    });
    parts.table.happened = (entry) => this.#watches.look(entry, Date.now());
    this.#deadlines = new Deadlines((cgroup, afterSeconds) => this.#expired(cgroup, afterSeconds));
  }

  /** Runs until `stop`. Limits stay as they are then; what was taken for a while is given back. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    const { table } = this.#parts;
    const unwatch = this.#watchParent();
    await Promise.all([
      this.#followEvents(signal),
      every(TICK_MS, signal, () => this.#tick()),
      this.#pressure.run(signal),
      every(INTERRUPTION_POLL_MS, signal, () => this.#askInterruption()),
    ]);
    for (const cgroup of table.tasks.keys()) table.squeeze(cgroup, undefined);
    unwatch();
    this.#deadlines.close();
    table.close();
  }

  stop(): void {
    this.#closing.abort();
  }

  report(nowMs: number): HostReport {
    const { settings, table, fs, mounts } = this.#parts;
    const capabilities = {
      ...this.#parts.capabilities(),
      pressureTriggers: this.#pressure.capability,
    };
    const tasks = [...table.tasks.values()].map(
      (entry) => [reportKey(entry), taskReport(entry, this.#watches.of(entry.cgroup), capabilities)] as const,
    );
    return {
      instanceId: settings.instanceId,
      cluster: settings.cluster,
      seenAt: nowMs,
      agentVersion: AGENT_VERSION,
      capabilities,
      cannot: cannot(capabilities),
      tasks: Object.fromEntries(tasks),
      ...usageOfAll(tasks.map(([, task]) => task)),
      pressure: readPressure(fs, mounts, settings.cgroupParent),
      notices: [...this.#notices],
      ...(this.#interruptionAt === undefined ? {} : { interruptionAt: this.#interruptionAt }),
    };
  }

  async #followEvents(signal: AbortSignal): Promise<void> {
    const { docker, settings, log } = this.#parts;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        let adopting: Promise<void> | undefined;
        const opened = (): void => {
          retryMs = FIRST_RETRY_MS;
          // Only now: what starts from here on is in the stream, so nothing falls between the two.
          adopting = this.#adopt();
        };
        await docker.follow(settings.labels, signal, { opened, event: (event) => void this.#event(event) });
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
    const { docker, settings, ready, log } = this.#parts;
    try {
      const ids = (await docker.list(settings.labels)).values();
      const worker = async (): Promise<void> => {
        for (const id of ids) await this.#look(id);
      };
      await Promise.all(Array.from({ length: INSPECTS_AT_ONCE }, worker));
      this.#dropGone();
      ready();
      await this.#send();
    } catch (error) {
      log(`taking over: ${(error as Error).message}`);
    }
  }

  async #event(event: DockerEvent): Promise<void> {
    try {
      if (event.Action === 'create') await this.#created(event.Actor.ID);
      if (event.Action === 'start') await this.#look(event.Actor.ID);
      if (event.Action === 'oom') await this.#outOfMemory(event.Actor.ID);
    } catch (error) {
      this.#parts.log(
        `${event.Action} of container ${event.Actor.ID.slice(0, 12)}: ${(error as Error).message}`,
      );
    }
  }

  /** In the same turn as the event, when it can be: every millisecond counts against the start that follows. */
  async #created(containerId: string): Promise<void> {
    const written = this.#parts.writtenDown(containerId);
    if (written === undefined) await this.#look(containerId);
    else this.#take(written);
  }

  async #look(containerId: string): Promise<void> {
    const inspection = await this.#parts.docker.inspect(containerId);
    const view = inspection === undefined ? undefined : this.#take(inspection);
    if (view?.running === true) await this.#limitEgress(view);
  }

  async #limitEgress({ containerId, pid }: ContainerView): Promise<void> {
    const entry = this.#entryOf(containerId);
    const rate = entry?.desired?.egressMbps;
    if (entry === undefined || rate === undefined) return;
    try {
      await this.#parts.limitEgress(pid, rate);
      delete entry.egressRefusal;
    } catch (error) {
      entry.egressRefusal = (error as Error).message;
      throw error;
    }
  }

  #take(inspection: ContainerInspection): ContainerView | undefined {
    const { settings, table, mounts, fs } = this.#parts;
    const view = viewContainer(inspection, settings.cgroupParent);
    if (view === undefined) return undefined;
    const cgroup = view.taskCgroup ?? cgroupOfProcess(fs, mounts, view.pid, view.containerId);
    if (cgroup === undefined) return undefined;
    table.seen(view, cgroup);
    this.#deadlines.arm(cgroup, view, Date.now());
    const entry = table.tasks.get(cgroup);
    if (entry === undefined) return view;
    // The first look is what later ones are compared with.
    if (this.#watches.of(cgroup) === undefined) this.#watches.look(entry, Date.now());
    this.#pressure.arrived(entry);
    return view;
  }

  #entryOf(containerId: string): TaskEntry | undefined {
    return [...this.#parts.table.tasks.values()].find(({ containers }) => containers.has(containerId));
  }

  /** The kill is told at once; on v1, which has no such switch, the rest of the task goes with it when asked. */
  async #outOfMemory(containerId: string): Promise<void> {
    const entry = this.#entryOf(containerId);
    if (entry === undefined) return;
    this.#watches.look(entry, Date.now());
    const { mounts } = this.#parts;
    if (mounts.version === 1 && entry.desired?.memory.oomGroup === true) {
      await this.#killAll([...entry.containers.keys()]);
    }
  }

  /** Tasks come and go as directories below ECS's group; it is watched, never made. */
  #watchParent(): () => void {
    const { fs, mounts, settings, log } = this.#parts;
    const directory = controllerDirectory(mounts, 'memory', settings.cgroupParent);
    if (directory === undefined || fs.inode(directory) === undefined) return () => {};
    try {
      return fs.watch(directory, (name) => {
        // Also what the kernel and others write to the group's own files is heard here.
        if (name?.endsWith('.pressure') !== true) this.#dropGone();
      });
    } catch (error) {
      log(`no watch on ${directory}: ${(error as Error).message}`);
      return () => {};
    }
  }

  #dropGone(): void {
    const { journal, table } = this.#parts;
    journal.keepOnly(table.dropGone());
    this.#watches.keepOnly(table.tasks);
    this.#deadlines.keepOnly(table.tasks);
  }

  async #tick(): Promise<void> {
    const { table, alive } = this.#parts;
    this.#dropGone();
    this.#ticks += 1;
    if (this.#ticks % TICKS_PER_CHECK === 0) table.reconcileAll();
    const now = Date.now();
    for (const entry of table.tasks.values()) this.#watches.look(entry, now);
    alive();
    await this.#send();
    this.#parts.idle();
  }

  async #send(): Promise<void> {
    const report = this.report(Date.now());
    for (const result of await Promise.allSettled(
      this.#parts.receivers.map((receiver) => receiver.send(report)),
    )) {
      if (result.status === 'rejected') this.#parts.log(`reporting: ${(result.reason as Error).message}`);
    }
  }

  #tell(notice: Notice): void {
    this.#notices.push(notice);
    while (this.#notices.length > KEPT_NOTICES) this.#notices.shift();
    this.#parts.log(`${notice.kind} ${notice.taskId} ${notice.detail}`);
  }

  #expired(cgroup: string, afterSeconds: number): void {
    const entry = this.#parts.table.tasks.get(cgroup);
    if (entry === undefined) return;
    const detail = `still running after its ${afterSeconds} s: stopped here`;
    this.#tell({ at: Date.now(), taskId: reportKey(entry), kind: 'timeout', detail });
    void this.#stopAll([entry], TIMEOUT_GRACE_SECONDS);
  }

  async #askInterruption(): Promise<void> {
    const at = await this.#parts.interruption?.();
    if (at === undefined) return;
    if (at !== this.#interruptionAt) {
      this.#interruptionAt = at;
      this.#parts.log(`EC2 takes the host back at ${new Date(at).toISOString()}`);
      // The control plane has most of two minutes to move what can be moved, if it hears of it now.
      await this.#send();
    }
    if (Date.now() < at - INTERRUPTION_LEAD_MS) return;
    await this.#stopAll([...this.#parts.table.tasks.values()], INTERRUPTION_GRACE_SECONDS);
  }

  async #stopAll(entries: readonly TaskEntry[], graceSeconds: number): Promise<void> {
    const { docker, log } = this.#parts;
    const stops = entries.flatMap(({ containers }) =>
      [...containers.keys()].map((id) => docker.stop(id, graceSeconds)),
    );
    for (const result of await Promise.allSettled(stops)) {
      if (result.status === 'rejected') log(`stopping: ${(result.reason as Error).message}`);
    }
  }

  async #killAll(containerIds: readonly string[]): Promise<void> {
    await Promise.all(containerIds.map((id) => this.#parts.docker.kill(id, 'SIGKILL')));
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Repeats until `signal`; one look's failure is that look's alone. */
async function every(ms: number, signal: AbortSignal, look: () => void | Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await pause(ms, signal);
    if (signal.aborted) return;
    // E.g. IMDS or a group that has just gone: the next look stands on its own.
    await Promise.resolve(look()).catch(() => undefined);
  }
}
