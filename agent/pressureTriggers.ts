import { ACT_AT } from '../layers/domain/isolation/pressureLadder.ts';
import type { CgroupFs } from './cgroupFs.ts';
import type { CgroupMounts } from './cgroupMounts.ts';

/** The shortest window that the kernel gives without `CAP_SYS_RESOURCE`. */
const WINDOW_US = 2_000_000;
/** A machine that runs anything stalls this long in two seconds: it shows whether the kernel tells of triggers. */
const PROBE = `some 1 ${WINDOW_US}`;

/**
 * Pressure triggers (kernel documentation, accounting/psi) on the group of all tasks: it stalls when one of them does, so
 * that three files tell of every task.
 *
 * They are meant to be awaited by `poll(POLLPRI)`, which Node.js has not. Newer kernels (seen: 6.1.192, 6.18) tell of a
 * cgroup's triggers through kernfs, hence through inotify too: once, since only a poll resets a trigger. So each is written
 * anew after it has fired. Whether this kernel does so is not asked of its version, but tried.
 */
export class PressureTriggers {
  readonly #fs: CgroupFs;
  readonly #mounts: CgroupMounts;
  readonly #parent: string;
  #disarm: (() => void) | undefined;
  #endProbe: (() => void) | undefined;
  #proven = false;
  #refused = false;

  /** `parent` is the group below which tasks lie; until it is there, the whole machine is watched. */
  constructor(fs: CgroupFs, mounts: CgroupMounts, parent: string) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#parent = parent;
  }

  /** For the report: `yes` once the kernel has told of one. */
  get capability(): string {
    if (this.#proven) return 'yes';
    const why = this.#refused ? 'refused here' : 'none has fired yet';
    return `partial: ${why}, pressure is read every two seconds`;
  }

  /** Tries whether triggers are told of here; `capability` has the answer when it comes. */
  probe(): void {
    const { unified } = this.#mounts;
    this.#endProbe =
      unified === undefined ? undefined : this.#watch(unified, [['cpu', PROBE]], () => this.#prove());
    this.#refused = this.#endProbe === undefined;
  }

  /**
   * Calls back once, when a resource has stalled above the ladder's mark for a window; arming again replaces what was
   * armed. False when nothing will call: triggers are not known to work here, or are refused.
   */
  arm(fired: () => void): boolean {
    this.#disarm?.();
    this.#disarm = undefined;
    const { unified } = this.#mounts;
    if (!this.#proven || unified === undefined) return false;
    const own = `${unified}${this.#parent}`;
    const triggers = Object.entries(ACT_AT).map(
      ([resource, mark]) => [resource, `some ${Math.round(mark * WINDOW_US)} ${WINDOW_US}`] as const,
    );
    this.#disarm = this.#watch(this.#fs.inode(own) === undefined ? unified : own, triggers, () => {
      this.#disarm?.();
      this.#disarm = undefined;
      fired();
    });
    return this.#disarm !== undefined;
  }

  close(): void {
    this.#disarm?.();
    this.#endProbe?.();
    this.#disarm = undefined;
    this.#endProbe = undefined;
  }

  #prove(): void {
    this.#endProbe?.();
    this.#endProbe = undefined;
    this.#proven = true;
  }

  /** Undefined, with nothing left behind, when the kernel refuses one of them. */
  #watch(
    directory: string,
    triggers: readonly (readonly [resource: string, trigger: string])[],
    fired: () => void,
  ): (() => void) | undefined {
    const ends: (() => void)[] = [];
    const end = (): void => {
      for (const each of ends.splice(0)) each();
    };
    try {
      const files = new Set<string | undefined>();
      for (const [resource, trigger] of triggers) {
        files.add(`${resource}.pressure`);
        ends.push(this.#fs.hold(`${directory}/${resource}.pressure`, trigger));
      }
      // Only now: inotify would tell of these writes too.
      ends.push(
        this.#fs.watch(directory, (name) => {
          if (ends.length > 0 && files.has(name)) fired();
        }),
      );
      return end;
    } catch {
      // No such file, no PSI in this kernel, or no right to: pressure is read instead.
      end();
      return undefined;
    }
  }
}
