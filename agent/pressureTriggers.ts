import type { PressedResource } from '../layers/domain/isolation/pressureLadder.ts';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';
import { type Armed, GroupTriggers, LADDER_MARKS, triggerOf, WINDOW_US } from './groupTriggers.ts';

interface Watched {
  readonly inode: number;
  readonly triggers: GroupTriggers;
}

/** A machine that runs anything stalls this long in two seconds: it shows whether the kernel tells of triggers. */
const PROBE_US = 1;

/**
 * Pressure triggers on the group of each task, and on that of all of them. Whether this kernel tells of triggers by inotify
 * is not asked of its version, but tried; until it has, none but the one that tries is armed.
 */
export class PressureTriggers {
  readonly #fs: CgroupFs;
  readonly #mounts: CgroupMounts;
  readonly #parent: string;
  readonly #fired: (cgroup: string, resource: PressedResource) => void;
  readonly #groups = new Map<string, Watched>();
  #probe: GroupTriggers | undefined;
  #proven = false;
  #threads = false;

  /** `parent` is the group below which tasks lie; `fired` hears which group has stalled. */
  constructor(
    fs: CgroupFs,
    mounts: CgroupMounts,
    parent: string,
    fired: (cgroup: string, resource: PressedResource) => void,
  ) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#parent = parent;
    this.#fired = fired;
  }

  /** The kernel has told of one. */
  get proven(): boolean {
    return this.#proven;
  }

  /** The kernel may have a thread for each group with triggers: it is older than 6.4, or the agent may more than it needs. */
  get threads(): boolean {
    return this.#threads;
  }

  /** Tries whether triggers are told of here, and calls back when they are; false when that cannot be. */
  probe(proven: () => void): boolean {
    const { unified } = this.#mounts;
    if (unified === undefined) return false;
    const mark = { resource: 'cpu', thresholdUs: PROBE_US, armBelow: Infinity } as const;
    this.#threads = this.#accepts(`${unified}/cpu.pressure`, triggerOf(PROBE_US, WINDOW_US / 2));
    this.#probe = new GroupTriggers(this.#fs, unified, [mark], () => {
      this.#endProbe();
      this.#proven = true;
      proven();
    });
    const refused = typeof this.#probe.arm() === 'object';
    if (refused) this.#endProbe();
    return !refused;
  }

  /** Arms what is not armed of a task's group, or of `parent`; see `Armed`. */
  arm(cgroup: string): Armed {
    const { unified } = this.#mounts;
    if (!this.#proven || unified === undefined) return { refused: 'not known to work here' };
    const own = `${unified}${cgroup}`;
    // Until the group of all tasks is there, the whole machine is watched.
    const missing = cgroup === this.#parent && this.#fs.inode(own) === undefined;
    const directory = missing ? unified : own;
    const inode = this.#fs.inode(directory);
    // Gone, or another by the same name.
    if (this.#groups.get(cgroup)?.inode !== inode) this.drop(cgroup);
    if (inode === undefined) return { refused: 'no group of cgroup v2' };
    const triggers = this.#groups.get(cgroup)?.triggers ?? this.#triggersOf(cgroup, directory);
    const armed = triggers.arm();
    if (typeof armed === 'object') this.#groups.delete(cgroup);
    else this.#groups.set(cgroup, { inode, triggers });
    return armed;
  }

  drop(cgroup: string): void {
    this.#groups.get(cgroup)?.triggers.close();
    this.#groups.delete(cgroup);
  }

  close(): void {
    for (const cgroup of [...this.#groups.keys()]) this.drop(cgroup);
    this.#endProbe();
  }

  #triggersOf(cgroup: string, directory: string): GroupTriggers {
    return new GroupTriggers(this.#fs, directory, LADDER_MARKS, (resource) => this.#fired(cgroup, resource));
  }

  #accepts(file: string, trigger: string): boolean {
    try {
      this.#fs.hold(file, trigger)();
      return true;
    } catch {
      // As it should be: the window is too short for whoever has not the right to a thread.
      return false;
    }
  }

  #endProbe(): void {
    this.#probe?.close();
    this.#probe = undefined;
  }
}
