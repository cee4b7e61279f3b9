import { ACT_AT, type PressedResource } from '../layers/domain/isolation/pressureLadder.ts';
import { type CgroupFs, errorCode } from './cgroupFs.ts';
import { parsePressure } from './pressure.ts';

/**
 * The shortest window that the kernel gives without `CAP_SYS_RESOURCE`. Such a trigger is counted where the averages are,
 * every two seconds; any other has the kernel keep a thread for its group.
 */
export const WINDOW_US = 2_000_000;

/**
 * `armed`: each resource that is not above the ladder's mark will be told of. `above`: some are, and are not; a trigger tells
 * of a rise. `refused` has the kernel's reason; nothing is left open then.
 */
export type Armed = 'armed' | 'above' | { readonly refused: string };

interface Trigger {
  /** Of the stall, when it was armed. */
  readonly totalUs: number;
  readonly thresholdUs: number;
  close(): void;
}

/** What one trigger waits for: `some` of a resource, this long within the window. */
export interface Mark {
  readonly resource: PressedResource;
  readonly thresholdUs: number;
  /** It is armed below this average of ten seconds, 0..1. */
  readonly armBelow: number;
}

const RESOURCES: readonly PressedResource[] = ['cpu', 'memory', 'io'];
export const LADDER_MARKS: readonly Mark[] = RESOURCES.map((resource) => ({
  resource,
  thresholdUs: Math.round(ACT_AT[resource] * WINDOW_US),
  armBelow: ACT_AT[resource],
}));

export const triggerOf = (thresholdUs: number, windowUs = WINDOW_US): string =>
  `some ${thresholdUs} ${windowUs}`;

/** The time stalled so far, of the `some` line of a PSI file; undefined where there is none. */
const stalledUs = (content: string): number | undefined => {
  const total = /^some .*total=(\d+)/m.exec(content)?.[1];
  return total === undefined ? undefined : Number(total);
};

/**
 * Pressure triggers (kernel documentation, accounting/psi) on one group: a descriptor for each resource, and one watch.
 *
 * They are meant to be awaited by `poll(POLLPRI)`, which Node.js has not. Newer kernels (seen: 6.1.176, 6.12, 6.18) tell of
 * a cgroup's triggers through kernfs, hence through inotify too: once, since only a poll resets a trigger. So one that has
 * fired is closed, and armed anew when its resource is below the mark again: what stalls for good wakes nobody.
 *
 * To inotify a trigger that fires and one that is written, by us or by another, look alike. A fired one is known by what it
 * waited for: the group has stalled that long since it was armed.
 */
export class GroupTriggers {
  readonly #fs: CgroupFs;
  readonly #directory: string;
  readonly #marks: readonly Mark[];
  readonly #fired: (resource: PressedResource) => void;
  readonly #armed = new Map<PressedResource, Trigger>();
  #unwatch: (() => void) | undefined;

  constructor(
    fs: CgroupFs,
    directory: string,
    marks: readonly Mark[],
    fired: (resource: PressedResource) => void,
  ) {
    this.#fs = fs;
    this.#directory = directory;
    this.#marks = marks;
    this.#fired = fired;
  }

  /** Arms what is not. Cheap when all are: nothing is read. */
  arm(): Armed {
    let above = false;
    try {
      for (const mark of this.#marks) above = this.#armOne(mark) === 'above' || above;
      this.#unwatch ??= this.#fs.watch(this.#directory, (name) => this.#heard(name));
    } catch (error) {
      // The group has gone, its kernel keeps no pressure, or there is no descriptor or memory left for it.
      this.close();
      return { refused: errorCode(error) };
    }
    return above ? 'above' : 'armed';
  }

  close(): void {
    for (const { close } of this.#armed.values()) close();
    this.#armed.clear();
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #armOne({ resource, thresholdUs, armBelow }: Mark): 'armed' | 'above' {
    if (this.#armed.has(resource)) return 'armed';
    const file = this.#file(resource);
    const content = this.#fs.read(file);
    if ((parsePressure(content) ?? 0) >= armBelow) return 'above';
    const totalUs = stalledUs(content) ?? 0;
    const close = this.#fs.hold(file, triggerOf(thresholdUs));
    this.#armed.set(resource, { totalUs, thresholdUs, close });
    return 'armed';
  }

  #heard(name: string | undefined): void {
    const resource = RESOURCES.find((each) => name === `${each}.pressure`);
    const trigger = resource === undefined ? undefined : this.#armed.get(resource);
    if (resource === undefined || trigger === undefined || !this.#hasStalled(resource, trigger)) return;
    trigger.close();
    this.#armed.delete(resource);
    this.#fired(resource);
  }

  #hasStalled(resource: PressedResource, { totalUs, thresholdUs }: Trigger): boolean {
    try {
      const nowUs = stalledUs(this.#fs.read(this.#file(resource))) ?? 0;
      // Both are cut off to whole microseconds, so that their difference may be one less than what the kernel saw.
      return nowUs - totalUs >= Math.max(1, thresholdUs - 1);
    } catch {
      // The group has just gone, and its triggers with it.
      return false;
    }
  }

  #file(resource: PressedResource): string {
    return `${this.#directory}/${resource}.pressure`;
  }
}
