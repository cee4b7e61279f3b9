import type { HostPlacement, PlacementPlan, Preemption } from '../model/plan.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Task } from '../model/task.ts';
import { Caps } from './caps.ts';
import { FairQueue } from './fairQueue.ts';
import { type Gang, gangsOf, holdRoom, isComplete, placeAll } from './gang.ts';
import { byUrgency, queueOf } from './order.ts';
import { Pass } from './pass.ts';
import { cannotGrow, Preemptor } from './preemption.ts';
import { bySize } from './size.ts';
import type { Queued, TaskClass } from './taskClass.ts';
import { awaiting, Waits } from './waits.ts';

export interface PlaceOptions {
  /**
   * When more urgent tasks may stop interruptible ones: `whenFull` (default) only when no pool they may use can grow,
   * `always` even so, or `never`.
   */
  readonly preempt?: 'whenFull' | 'always' | 'never';
  /** Most attempts stopped for others in one pass; default 100. */
  readonly maxVictims?: number;
  /** Of these, most of one group; default no limit of its own. */
  readonly maxVictimsPerGroup?: number;
}

const DEFAULT_MAX_VICTIMS = 100;

/**
 * Decides where each pending task goes. Most urgent first, by turns among those who ask (`FairQueue`), and a task that fits nowhere never holds up the next.
 * Only READY hosts take tasks; what they cannot hold is set against BOOTING hosts and open orders, and waits for them;
 * the rest is `unmet`, unless others are stopped for it. Pure: the same snapshot gives the same plan.
 */
export function place(snapshot: Snapshot, nowMs: number, options: PlaceOptions = {}): PlacementPlan {
  const { due, later, wakeAt } = queueOf(snapshot.pending, nowMs);
  return new Placing(snapshot, due, nowMs, options).plan(later, wakeAt);
}

class Placing {
  readonly #snapshot: Snapshot;
  readonly #nowMs: number;
  readonly #options: PlaceOptions;
  readonly #pass: Pass;
  readonly #queue: Queued[] = [];
  readonly #waits: Waits;
  readonly #placed = new Map<number, Task[]>();
  readonly #left: Queued[] = [];
  readonly #unmet: string[] = [];
  readonly #preemptions: Preemption[] = [];
  readonly #caps: Caps;
  readonly #fair: FairQueue<Queued>;

  constructor(snapshot: Snapshot, due: readonly Task[], nowMs: number, options: PlaceOptions) {
    this.#snapshot = snapshot;
    this.#nowMs = nowMs;
    this.#options = options;
    this.#pass = new Pass(snapshot, due, nowMs);
    this.#waits = new Waits(this.#pass.table);
    this.#caps = new Caps(snapshot.holders);
    due.forEach((task, at) => {
      const cls = this.#pass.classes.classOf[at];
      if (cls !== undefined) this.#queue.push({ task, cls });
    });
    this.#fair = new FairQueue(this.#queue, snapshot, nowMs);
  }

  plan(later: readonly Task[], wakeAt: number | undefined): PlacementPlan {
    this.#placeQueue();
    this.#settleRest();
    for (const task of later) this.#waits.addBackoff(task, this.#nowMs);
    return {
      placements: this.#hostPlacements(),
      waits: this.#waits.list,
      preemptions: this.#preemptions,
      unmet: this.#unmet,
      ...(wakeAt === undefined ? {} : { wakeAt }),
    };
  }

  #placeQueue(): void {
    const gangs = gangsOf(this.#queue);
    const settled = new Set<string>();
    for (let queued = this.#fair.next(); queued !== undefined; queued = this.#fair.next()) {
      const { task, cls } = queued;
      const gang = gangs.size === 0 ? undefined : gangs.get(task.spec.placement.gang?.id ?? '');
      if (gang !== undefined) {
        if (!settled.has(gang.id)) this.#placeGang(gang);
        settled.add(gang.id);
        continue;
      }
      if (!this.#caps.admits([task])) {
        this.#waits.addCapped(task);
        continue;
      }
      const row = this.#pass.placeOnReady(cls, task.spec.group);
      if (row < 0) this.#left.push(queued);
      else this.#put(row, task);
    }
  }

  #put(row: number, task: Task): void {
    this.#caps.take(task);
    this.#fair.took(task);
    const tasks = this.#placed.get(row);
    if (tasks === undefined) this.#placed.set(row, [task]);
    else tasks.push(task);
  }

  #placeGang(gang: Gang): void {
    const name = `gang "${gang.id}" starts together`;
    if (!isComplete(gang)) {
      const next = `${name}: ${gang.members.length} of ${gang.size} members are queued`;
      for (const { task, cls } of gang.members) this.#waits.add(task, cls, next);
      return;
    }
    if (!this.#caps.admits(gang.members.map(({ task }) => task))) {
      for (const { task } of gang.members) this.#waits.addCapped(task);
      return;
    }
    const rows = placeAll(this.#pass, gang);
    if (rows !== undefined) {
      gang.members.forEach(({ task }, n) => {
        this.#put(rows[n] as number, task);
      });
      return;
    }
    const held = holdRoom(this.#pass, gang);
    const missing = held.filter((row) => row < 0).length;
    const next =
      missing === 0
        ? `${name}: hosts for it are booting`
        : `${name}: room for ${missing} of ${gang.size} is missing`;
    gang.members.forEach(({ task, cls }, n) => {
      this.#caps.take(task);
      this.#waits.add(task, cls, next);
      if ((held[n] as number) < 0) this.#unmet.push(task.taskId);
    });
  }

  /** Sets what no READY host holds against hosts on their way, then against what may be stopped. */
  #settleRest(): void {
    const { table } = this.#pass;
    const homeless: Queued[] = [];
    // Larger first: nobody is placed here, and what was bought together is found to fit together.
    for (const queued of this.#withinCaps().sort(bySize(this.#pass.table))) {
      const row = this.#pass.placeOnBooting(queued.cls, queued.task.spec.group);
      if (row < 0) homeless.push(queued);
      else this.#waits.add(queued.task, queued.cls, awaiting(table, row));
    }
    if (homeless.length === 0) return;
    homeless.sort((a, b) => byUrgency(a.task, b.task));
    const preemptor = this.#preemptor();
    for (const { task, cls } of homeless) {
      // What was stopped for one may be more than it needed.
      const shared = this.#preemptions.length > 0 ? this.#pass.placeOnReady(cls, task.spec.group) : -1;
      if (shared >= 0) {
        this.#waits.add(
          task,
          cls,
          `less urgent tasks on ${table.hosts[shared]?.hostId} stop, which makes room for it`,
        );
        continue;
      }
      const preemption = preemptor?.(task, cls);
      if (preemption === undefined) {
        this.#unmet.push(task.taskId);
        this.#waits.add(task, cls, 'no host, booting ones included, can hold it: capacity is to be bought');
        continue;
      }
      this.#preemptions.push(preemption);
      const count = preemption.victims.length;
      this.#waits.add(
        task,
        cls,
        `${count} less urgent task${count === 1 ? '' : 's'} on ${preemption.hostId} stop for it`,
      );
    }
  }

  /** Of what no READY host holds, what its caps allow beside all that got a place: no room is made for more than may run. */
  #withinCaps(): Queued[] {
    return this.#left.filter(({ task }) => {
      const admitted = this.#caps.admits([task]);
      if (admitted) this.#caps.take(task);
      else this.#waits.addCapped(task);
      return admitted;
    });
  }

  #preemptor(): ((task: Task, cls: TaskClass) => Preemption | undefined) | undefined {
    const { preempt = 'whenFull', maxVictims = DEFAULT_MAX_VICTIMS } = this.#options;
    if (preempt === 'never' || maxVictims <= 0) return undefined;
    const { maxVictimsPerGroup = Number.POSITIVE_INFINITY } = this.#options;
    const preemptor = new Preemptor(this.#pass.table, { maxVictims, maxVictimsPerGroup }, this.#nowMs);
    const mayPreempt = preempt === 'always' ? () => true : cannotGrow(this.#snapshot);
    return (task, cls) => (mayPreempt(task) ? preemptor.preempt(task, cls) : undefined);
  }

  #hostPlacements(): HostPlacement[] {
    const placements: HostPlacement[] = [];
    for (const [row, tasks] of this.#placed) {
      const host = this.#pass.table.hosts[row];
      if (host === undefined) continue;
      placements.push({
        hostId: host.hostId,
        epoch: host.epoch,
        tasks: tasks.map(({ taskId, attempt }) => ({ taskId, attempt })),
      });
    }
    return placements;
  }
}
