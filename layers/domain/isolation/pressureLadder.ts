import type { QosClass } from './profile.ts';
import type { Squeeze } from './squeeze.ts';

export type PressedResource = 'cpu' | 'memory' | 'io';
/** The steps in order of harm; each resource takes those that help it. */
export type LadderStep = 'headroom' | 'idle' | 'reclaim' | 'freeze' | 'evict';

export interface Pressures {
  readonly cpu: number;
  readonly memory: number;
  readonly io: number;
}

export interface LadderTask {
  readonly key: string;
  readonly qos: QosClass;
  /** CPUs in use over the last window. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Share of the last ten seconds in which the task stalled, 0..1; absent where the kernel cannot tell. */
  readonly pressure?: Pressures;
  /** Held back by its own quota in this window: its CPU pressure is then no neighbour's doing. */
  readonly throttled: boolean;
}

export interface LadderObservation {
  readonly host: Pressures;
  readonly tasks: readonly LadderTask[];
}

/** Where one resource stands on its ladder. */
interface Rung {
  /** Steps taken, 0 = calm. */
  readonly level: number;
  /** Since when the pressure has been above the high or below the low mark. */
  readonly overSince?: number;
  readonly underSince?: number;
  readonly lastActionAt: number;
}

export interface LadderState {
  readonly rungs: Readonly<Record<PressedResource, Rung>>;
  /** What is taken from whom now, by task key. */
  readonly squeezes: Readonly<Record<string, Squeeze>>;
}

/** One step, with the numbers behind it. `reclaim` and `evict` are done once, the others stand until relaxed. */
export interface LadderEvent {
  readonly kind: 'escalate' | 'relax' | 'thaw' | 'unrelieved';
  readonly resource: PressedResource;
  readonly step?: LadderStep;
  readonly key?: string;
  /** For `reclaim`. */
  readonly bytes?: number;
  /** For `evict`: kill here and now, since the control plane may come too late. */
  readonly kill?: boolean;
  /** The protected task that stalls most; absent where it is the host that tells. */
  readonly pressed?: string;
  readonly pressure: number;
  readonly threshold: number;
}

const RESOURCES: readonly PressedResource[] = ['cpu', 'memory', 'io'];
const LADDERS: Readonly<Record<PressedResource, readonly LadderStep[]>> = {
  cpu: ['headroom', 'idle', 'freeze', 'evict'],
  memory: ['headroom', 'reclaim', 'freeze', 'evict'],
  io: ['headroom', 'freeze', 'evict'],
};
/** Above `high` it climbs, below `low` it comes down; between them it stays, so that it does not flutter. */
const MARKS: Readonly<Record<PressedResource, { readonly high: number; readonly low: number }>> = {
  cpu: { high: 0.2, low: 0.08 },
  memory: { high: 0.1, low: 0.03 },
  io: { high: 0.3, low: 0.1 },
};
/** Where it climbs, by resource: what a kernel may be asked to tell of. */
export const ACT_AT: Pressures = { cpu: MARKS.cpu.high, memory: MARKS.memory.high, io: MARKS.io.high };
/** Pressure must last before anything is taken: a start or a burst is not a neighbour. */
const SUSTAINED_MS = 4_000;
const CALM_MS = 10_000;
/** An action shows in the ten-second average only after a while. */
const SETTLE_MS = 15_000;
/** A frozen task answers nothing: its clients time out if it lasts. */
const FREEZE_MS = 10_000;
const MIN_CPUS = 0.1;
const MIN_HIGH_BYTES = 16 * 2 ** 20;
/** One reclaim takes at most this share and size: the kernel would otherwise take all there is. */
const RECLAIM_SHARE = 0.1;
const RECLAIM_MAX_BYTES = 256 * 2 ** 20;

const calm: Rung = { level: 0, lastActionAt: -Infinity };
export const calmLadder: LadderState = { rungs: { cpu: calm, memory: calm, io: calm }, squeezes: {} };

const nothingTaken = ({ rungs, squeezes }: LadderState): boolean =>
  Object.keys(squeezes).length === 0 && RESOURCES.every((resource) => rungs[resource].level === 0);

/**
 * Whether a look can change nothing, whatever the tasks' own pressure: nothing is taken, and the pressure of all together,
 * which is never below that of one, is below every mark.
 */
export const restsAt = (state: LadderState, host: Pressures): boolean =>
  nothingTaken(state) && RESOURCES.every((resource) => host[resource] < MARKS[resource].low);

/** Whether it has nothing to do until a protected task's pressure passes a mark: nothing is taken, and none is above. */
export const rests = (state: LadderState): boolean =>
  nothingTaken(state) && RESOURCES.every((resource) => state.rungs[resource].overSince === undefined);

/**
 * One look at the pressure: which step follows for each resource, and what is taken from whom then. Only best-effort
 * tasks are ever touched. Pure: `now` is epoch ms.
 */
export function climb(
  state: LadderState,
  observation: LadderObservation,
  now: number,
): { readonly state: LadderState; readonly events: readonly LadderEvent[] } {
  const events: LadderEvent[] = [];
  const rungs = { ...state.rungs };
  let squeezes = thaw(dropGone(state.squeezes, observation), now, events, observation);
  for (const resource of RESOURCES) {
    const { pressure, pressed } = pressureOnProtected(resource, observation);
    const rung = track(state.rungs[resource], resource, pressure, now);
    const settled = now - rung.lastActionAt >= SETTLE_MS;
    rungs[resource] = rung;
    if (settled && rung.overSince !== undefined && now - rung.overSince >= SUSTAINED_MS) {
      const step = escalate(resource, rung, observation, squeezes, now);
      const event = { resource, pressure, threshold: MARKS[resource].high, ...named(pressed) };
      if (step === undefined) {
        if (rung.level === 0) events.push({ kind: 'unrelieved', ...event });
        rungs[resource] = { ...rung, lastActionAt: now };
        continue;
      }
      squeezes = step.squeezes;
      events.push({ kind: 'escalate', ...event, ...step.event });
      rungs[resource] = { ...rung, level: step.level, lastActionAt: now };
    } else if (
      settled &&
      rung.level > 0 &&
      rung.underSince !== undefined &&
      now - rung.underSince >= CALM_MS
    ) {
      const step = LADDERS[resource][rung.level - 1];
      squeezes = relax(step, resource, squeezes);
      events.push({
        kind: 'relax',
        resource,
        ...(step === undefined ? {} : { step }),
        pressure,
        threshold: MARKS[resource].low,
        ...named(pressed),
      });
      rungs[resource] = { ...rung, level: rung.level - 1, lastActionAt: now };
    }
  }
  return { state: { rungs, squeezes }, events };
}

const named = (pressed: string | undefined): Pick<LadderEvent, 'pressed'> =>
  pressed === undefined ? {} : { pressed };

/** The worst stall of a task that is to be protected, and whose it is; the host's own where no task can tell. */
function pressureOnProtected(
  resource: PressedResource,
  { host, tasks }: LadderObservation,
): { readonly pressure: number; readonly pressed?: string } {
  const guarded = tasks.filter(
    ({ qos, throttled }) => qos !== 'best-effort' && !(resource === 'cpu' && throttled),
  );
  const known = guarded.flatMap(({ key, pressure }) =>
    pressure === undefined ? [] : [{ pressure: pressure[resource], pressed: key }],
  );
  const [worst] = known.toSorted((a, b) => b.pressure - a.pressure);
  if (worst !== undefined) return worst;
  // Nobody to protect: best-effort tasks may press one another as they like.
  return { pressure: guarded.length > 0 ? host[resource] : 0 };
}

function track(rung: Rung, resource: PressedResource, pressure: number, now: number): Rung {
  const { high, low } = MARKS[resource];
  return {
    level: rung.level,
    lastActionAt: rung.lastActionAt,
    ...(pressure >= high ? { overSince: rung.overSince ?? now } : {}),
    ...(pressure <= low ? { underSince: rung.underSince ?? now } : {}),
  };
}

function escalate(
  resource: PressedResource,
  rung: Rung,
  { tasks }: LadderObservation,
  squeezes: LadderState['squeezes'],
  now: number,
): (Pick<LadderState, 'squeezes'> & { level: number; event: Partial<LadderEvent> }) | undefined {
  const ladder = LADDERS[resource];
  const size = (task: LadderTask): number => (resource === 'memory' ? task.memoryBytes : task.cpus);
  const target = tasks
    .filter(({ qos }) => qos === 'best-effort')
    .toSorted((a, b) => size(b) - size(a) || a.key.localeCompare(b.key))[0];
  // The last step repeats, on whoever is the heaviest then.
  const level = Math.min(rung.level + 1, ladder.length);
  const step = ladder[level - 1];
  if (target === undefined || step === undefined) return undefined;
  const event = { step, key: target.key };
  const put = (squeeze: Squeeze) => ({ ...squeezes, [target.key]: { ...squeezes[target.key], ...squeeze } });
  switch (step) {
    case 'headroom':
      return {
        level,
        event,
        squeezes: put(
          resource === 'memory'
            ? { highBytes: Math.max(MIN_HIGH_BYTES, Math.floor(target.memoryBytes * 0.9)) }
            : { cpus: Math.max(MIN_CPUS, target.cpus / 2) },
        ),
      };
    case 'idle':
      return { level, event, squeezes: put({ idle: true }) };
    case 'reclaim': {
      const bytes = Math.min(RECLAIM_MAX_BYTES, Math.floor(target.memoryBytes * RECLAIM_SHARE));
      return { level, event: { ...event, bytes }, squeezes };
    }
    case 'freeze':
      return { level, event, squeezes: put({ frozen: { until: now + FREEZE_MS, resource } }) };
    case 'evict':
      return { level, event: { ...event, kill: resource === 'memory' }, squeezes };
  }
}

/** Gives back what the step took from everybody; what other resources' steps took stays. */
function relax(
  step: LadderStep | undefined,
  resource: PressedResource,
  squeezes: LadderState['squeezes'],
): LadderState['squeezes'] {
  const without = (squeeze: Squeeze): Squeeze => {
    const { cpus, idle, highBytes, frozen } = squeeze;
    const drops = {
      cpus: step === 'headroom' && resource !== 'memory',
      idle: step === 'idle',
      highBytes: step === 'headroom' && resource === 'memory',
    };
    return {
      ...(cpus === undefined || drops.cpus ? {} : { cpus }),
      ...(idle === undefined || drops.idle ? {} : { idle }),
      ...(highBytes === undefined || drops.highBytes ? {} : { highBytes }),
      ...(frozen === undefined ? {} : { frozen }),
    };
  };
  return keepSome(Object.entries(squeezes).map(([key, squeeze]) => [key, without(squeeze)] as const));
}

const keepSome = (entries: readonly (readonly [string, Squeeze])[]): LadderState['squeezes'] =>
  Object.fromEntries(entries.filter(([, squeeze]) => Object.keys(squeeze).length > 0));

const dropGone = (squeezes: LadderState['squeezes'], { tasks }: LadderObservation): LadderState['squeezes'] =>
  keepSome(Object.entries(squeezes).filter(([key]) => tasks.some((task) => task.key === key)));

/** A freeze ends by itself, whatever the pressure. */
function thaw(
  squeezes: LadderState['squeezes'],
  now: number,
  events: LadderEvent[],
  observation: LadderObservation,
): LadderState['squeezes'] {
  return keepSome(
    Object.entries(squeezes).map(([key, squeeze]) => {
      const { frozen, ...rest } = squeeze;
      if (frozen === undefined || now < frozen.until) return [key, squeeze] as const;
      const { resource } = frozen;
      const { pressure, pressed } = pressureOnProtected(resource, observation);
      const threshold = MARKS[resource].high;
      events.push({ kind: 'thaw', resource, step: 'freeze', key, pressure, threshold, ...named(pressed) });
      return [key, rest] as const;
    }),
  );
}
