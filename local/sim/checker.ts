import { isDeepStrictEqual } from 'node:util';
import type { Host } from '../../layers/domain/model/host.ts';
import { minus, plus, type Resources } from '../../layers/domain/model/resources.ts';
import { isTerminal, type Task } from '../../layers/domain/model/task.ts';
import { crowdOf } from './capInvariant.ts';
import type { Cloud } from './cloud.ts';
import type { MemoryTables } from './memoryTables.ts';
import type { Process } from './processes.ts';

/** The safety properties that hold after every step, each by the sentence that states it. */
export const stepInvariants = {
  ledger: 'What a host has left and what is claimed on it add up to its capacity.',
  overcommit: 'No host is claimed beyond its capacity.',
  claimOnce: 'No attempt of a task holds two claims, on one host or on several.',
  oneProcess: 'At no moment do two attempts of one task run.',
  oneLaunch: 'No attempt is launched twice.',
  noGhost: 'No process starts for a task that is not on record, has ended or was never placed.',
  rightHost: 'A process starts on the host that its attempt claimed, while it holds the claim.',
  doneIsDone: 'A task whose process ended well, on a host that lived to tell, is not run again.',
  attemptsGrow:
    'A task’s attempt never falls and grows by one, and an ended task never changes, except that others may wait for it.',
  legalMoves:
    'A task moves only from BLOCKED to PENDING to PLACED to RUNNING, back to PENDING with the next attempt, or to its end.',
  truthful: 'A task is called SUCCEEDED only when a process of its last attempt exited with 0.',
  cancelIsAsked:
    'A task is called CANCELLED only when somebody asked for that, of it or of what it waits for.',
  fairAttempts: 'A user’s attempts are used up only by what the task’s own processes did.',
  readyOnly: 'Only a host that is READY takes claims.',
  stayPut: 'Only a task that may be interrupted is stopped to make room or to empty its host.',
  noEviction: 'Berth gives back no host that holds claims, unless EC2 takes it or its agent is beyond reach.',
  endedIsDead: 'When a task is called ended, its process has ended or is known to be lost with its host.',
  inOrder: 'A task starts only when what it waits for has ended as it asks.',
  capHeld: 'No concurrency key ever has more tasks in place than the newest of them allows.',
  poolBound: 'A pool never has more instances than its maximum.',
} as const;

/** What holds when the storm is over and everything has come to rest. */
export const endInvariants = {
  allEnd: 'Every accepted task ends.',
  accepted: 'Every request has exactly its number of tasks on record.',
  noClaims: 'No host holds a claim when no task is under way.',
  ecsAgrees: 'ECS runs nothing that Berth does not know of.',
  noOrphans: 'Every instance that runs has a record, and every record an instance.',
  costAccounted:
    'What EC2 charges for instances is on record: each once, at its price, from its purchase to its end or, where EC2 never told of that, to when it was found.',
  roomUsed:
    'Once nothing goes wrong no task waits for longer than two rounds of reconcile while a host has room for it.',
  idleGone: 'Hosts that nothing needs are given back.',
  queuesEmpty: 'Every message is handled, and none is given up for good.',
  rightEnd: 'A task ends as its processes did.',
  arrayCounted: 'The end of an array counts each of its members once.',
  announced:
    'Every step of a task’s life and every purchase and return of a host is announced, and nothing that was not on record.',
} as const;

export type Invariant = keyof typeof stepInvariants | keyof typeof endInvariants;

export const sentenceOf = (invariant: Invariant): string =>
  invariant in stepInvariants
    ? stepInvariants[invariant as keyof typeof stepInvariants]
    : endInvariants[invariant as keyof typeof endInvariants];

export interface Violation {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly detail: string;
  /** Task and host ids that it is about, for reading the trace. */
  readonly about: readonly string[];
}

/** By so much an invocation's clock may run ahead of the one that noted the start. */
const SKEW_MS = 6_000;

export interface CheckerOptions {
  /** Since the start. */
  readonly now: () => number;
  /** Epoch. */
  readonly nowMs: () => number;
  readonly tables: MemoryTables;
  readonly cloud: () => Cloud;
  readonly maxHosts: () => number;
  readonly wasCancelled: (taskId: string) => boolean;
  readonly report: (violation: Violation) => void;
}

/** Watches every write of the store and every start and end of a process. */
export class Checker {
  private readonly options: CheckerOptions;
  private readonly launched = new Set<string>();
  /** Host by `taskId:attempt`. */
  private readonly claims = new Map<string, string>();

  constructor(options: CheckerOptions) {
    this.options = options;
  }

  hostWritten(before: Host | undefined, after: Host | undefined): void {
    this.followClaims(before, after);
    if (after === undefined) return;
    this.judgeEnd(before, after);
    let claimed: Resources = {};
    for (const claim of Object.values(after.claims)) claimed = plus(claimed, claim.demand);
    const off = Object.entries(minus(minus(after.capacity, claimed), after.left)).filter(
      ([, amount]) => amount !== 0,
    );
    if (off.length > 0)
      this.fail('ledger', `${after.hostId} is off by ${JSON.stringify(off)}`, [after.hostId]);
    if (Object.values(after.left).some((amount) => amount < 0)) {
      this.fail('overcommit', `${after.hostId} has ${JSON.stringify(after.left)} left`, [after.hostId]);
    }
  }

  private judgeEnd(before: Host | undefined, after: Host): void {
    const { hostId, claims } = after;
    const begins = before?.state !== 'TERMINATING' && after.state === 'TERMINATING';
    if (!begins || Object.keys(claims).length === 0 || this.isGivenUp(hostId)) return;
    const what = `${hostId} is given back (${after.stateReason}) under ${Object.keys(claims).join(', ')}`;
    this.fail('noEviction', what, [hostId, ...Object.keys(claims)]);
  }

  /** EC2 takes it, or nobody has heard of it for a while. */
  private isGivenUp(hostId: string): boolean {
    const running = this.options.cloud().machines.instances.get(hostId)?.state === 'running';
    return !running || this.doomed.has(hostId) || this.silenced.has(hostId);
  }

  private followClaims(before: Host | undefined, after: Host | undefined): void {
    for (const claim of Object.values(before?.claims ?? {})) {
      if (after?.claims[claim.taskId]?.attempt !== claim.attempt)
        this.claims.delete(`${claim.taskId}:${claim.attempt}`);
    }
    if (after === undefined) return;
    for (const claim of Object.values(after.claims)) {
      // Room that is held for a task in the queue is no attempt's claim: it lapses with its host or at the next pass.
      if (claim.hold !== undefined || before?.claims[claim.taskId]?.attempt === claim.attempt) continue;
      const ref = `${claim.taskId}:${claim.attempt}`;
      const holder = this.claims.get(ref);
      if (holder !== undefined) {
        this.fail('claimOnce', `${ref} is claimed on ${holder} and on ${after.hostId}`, [
          claim.taskId,
          after.hostId,
        ]);
      }
      this.claims.set(ref, after.hostId);
      if (after.state !== 'READY') {
        this.fail('readyOnly', `${ref} is claimed on ${after.hostId}, which is ${after.state}`, [
          claim.taskId,
          after.hostId,
        ]);
      }
    }
  }

  taskWritten(before: Task | undefined, after: Task): void {
    const about = [after.taskId];
    if (before !== undefined) {
      if (isTerminal(before.state) && !isDeepStrictEqual({ ...before, hasDependents: true }, after)) {
        this.fail('attemptsGrow', `${after.taskId} was ${before.state} and became ${after.state}`, about);
      }
      const step = after.attempt - before.attempt;
      if (step < 0 || step > 1)
        this.fail('attemptsGrow', `${after.taskId} went from ${before.attempt} to ${after.attempt}`, about);
      if (!isLegal(before, after)) {
        this.fail('legalMoves', `${after.taskId} went from ${describe(before)} to ${describe(after)}`, about);
      }
    }
    if (after.stopRequested?.code === 'PREEMPTED' && !after.spec.interruptible) {
      this.fail('stayPut', `${after.taskId} is asked to stop: ${after.stopRequested.detail}`, about);
    }
    const crowd = crowdOf(this.options.tables, before, after);
    if (crowd !== undefined) this.fail('capHeld', crowd, about);
    const processes = this.options.cloud().processes.byTask.get(after.taskId) ?? [];
    if (after.state === 'SUCCEEDED' && before?.state !== 'SUCCEEDED') {
      const good = processes.some((process) => process.attempt === after.attempt && process.exitCode === 0);
      if (!good) this.fail('truthful', `no process of ${after.taskId}:${after.attempt} exited with 0`, about);
    }
    const cancelled = after.state === 'CANCELLED' && before?.state !== 'CANCELLED';
    if (cancelled && !this.isAskedFor(after))
      this.fail('cancelIsAsked', `${after.taskId} was cancelled by nobody`, about);
    if (isTerminal(after.state) && before !== undefined && !isTerminal(before.state)) {
      const alive = processes.find((process) => this.options.cloud().processes.isAlive(process));
      if (alive !== undefined)
        this.fail('endedIsDead', `attempt ${alive.attempt} still runs on ${alive.hostId}`, [
          ...about,
          alive.hostId,
        ]);
    }
    const own = processes.filter((process) => this.isOwnDoing(process, after)).length;
    if (after.attemptsUsed > own) {
      this.fail(
        'fairAttempts',
        `${after.taskId} has used ${after.attemptsUsed} attempts and its processes ${own}`,
        about,
      );
    }
  }

  private isAskedFor({ taskId, spec, reason }: Task): boolean {
    const { wasCancelled, tables } = this.options;
    if (reason.code !== 'DEPENDENCY_FAILED') return wasCancelled(taskId);
    return spec.after.some((dependency) => tables.tasks.get(dependency.taskId)?.state === 'CANCELLED');
  }

  /** It ended by itself, was stopped, or has outrun its time. */
  private isOwnDoing(process: Process, { spec }: Task): boolean {
    const ranMs = this.options.nowMs() - process.startedAt;
    const outran = spec.timeoutSeconds !== undefined && ranMs >= spec.timeoutSeconds * 1000 - SKEW_MS;
    return process.exitCode !== undefined || process.stopAsked || outran;
  }

  processStarted(process: Process): void {
    const { taskId, attempt, hostId, arn } = process;
    const { tables, cloud } = this.options;
    const about = [taskId, hostId];
    const ref = `${taskId}:${attempt}`;
    if (this.launched.has(ref)) this.fail('oneLaunch', `${ref} starts again as ${arn}`, about);
    this.launched.add(ref);
    const task = tables.tasks.get(taskId);
    if (task === undefined || isTerminal(task.state) || task.attempt < attempt) {
      this.fail('noGhost', `${ref} starts on ${hostId} while its task is ${task && describe(task)}`, about);
      return;
    }
    for (const { taskId: id, condition } of task.spec.after) {
      const state = tables.tasks.get(id)?.state;
      if (state === undefined || !isTerminal(state) || (condition === 'success' && state !== 'SUCCEEDED'))
        this.fail(
          'inOrder',
          `${ref} starts while ${id}, whose ${condition} it waits for, is ${state}`,
          about,
        );
    }
    const holder = this.claims.get(ref);
    if (task.attempt !== attempt || holder !== hostId) {
      this.fail(
        'rightHost',
        `${ref} starts on ${hostId}; its claim is on ${holder}, its task ${describe(task)}`,
        about,
      );
    }
    for (const other of cloud().processes.byTask.get(taskId) ?? []) {
      if (other === process) continue;
      if (cloud().processes.isAlive(other)) {
        this.fail(
          'oneProcess',
          `${ref} starts on ${hostId} while attempt ${other.attempt} runs on ${other.hostId}`,
          [...about, other.hostId],
        );
      }
      if (other.exitCode === 0 && this.livedToTell(other)) {
        this.fail(
          'doneIsDone',
          `${ref} starts although attempt ${other.attempt} ended well on ${other.hostId}`,
          [...about, other.hostId],
        );
      }
    }
  }

  /** Berth asks EC2 to terminate the instance. */
  terminating(hostId: string): void {
    const { processes } = this.options.cloud();
    if (this.isGivenUp(hostId)) return;
    for (const [ref, holder] of this.claims) {
      if (holder !== hostId) continue;
      const [taskId = '', attempt] = ref.split(':');
      const process = processes.byTask.get(taskId)?.find((each) => String(each.attempt) === attempt);
      if (process !== undefined && processes.isAlive(process)) {
        this.fail('noEviction', `${hostId} is terminated under ${ref}`, [hostId, taskId]);
      }
    }
  }

  /** Hosts that EC2 has said it takes back. */
  readonly doomed = new Set<string>();

  instancesChanged(): void {
    const { machines } = this.options.cloud();
    const serving = [...machines.instances.values()].filter(
      ({ state }) => state === 'pending' || state === 'running',
    );
    const max = this.options.maxHosts();
    if (serving.length > max) {
      this.fail(
        'poolBound',
        `${serving.length} instances of at most ${max}`,
        serving.map(({ hostId }) => hostId),
      );
    }
  }

  /** Whether ECS has heard of the process's end. */
  private livedToTell(process: Process): boolean {
    const { machines, processes } = this.options.cloud();
    const alive = machines.instances.get(process.hostId)?.state === 'running';
    return (
      alive && processes.hosts.instanceIds.includes(process.hostId) && !this.silenced.has(process.hostId)
    );
  }

  /** Hosts that were cut off from ECS at some time: what they had to tell may have come too late. */
  readonly silenced = new Set<string>();

  private fail(invariant: Invariant, detail: string, about: readonly string[]): void {
    this.options.report({ invariant, detail, about, atMs: this.options.now() });
  }
}

const describe = (task: Task): string => `${task.state} at attempt ${task.attempt}`;

function isLegal(before: Task, after: Task): boolean {
  if (after.attempt > before.attempt) {
    return after.state === 'PENDING' && (before.state === 'PLACED' || before.state === 'RUNNING');
  }
  const order = ['BLOCKED', 'PENDING', 'PLACED', 'RUNNING'];
  const [from, to] = [order.indexOf(before.state), order.indexOf(after.state)];
  return to < 0 || to === from || (to === from + 1 && from >= 0);
}
