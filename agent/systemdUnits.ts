import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

const CALL_BOUND_MS = 10_000;

/** Whether systemd runs this machine (sd_booted(3)). */
export const systemdRuns = (): boolean => existsSync('/run/systemd/system');

/**
 * Makes values properties of the units that own tasks' groups, until reboot. One call for all properties of a unit: each
 * call has systemd write all of the unit's values. Calls go one after the other, the latest of a unit wins.
 */
export class SystemdUnits {
  readonly #waiting = new Map<string, readonly string[]>();
  readonly #log: (line: string) => void;
  #busy = false;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Takes the properties of the group's unit; a group that no unit owns is none of systemd's. */
  set(cgroup: string, properties: readonly string[]): void {
    const unit = cgroup.split('/').at(-1) ?? '';
    if (!/^[A-Za-z0-9._-]+\.(slice|scope)$/.test(unit)) return;
    this.#waiting.set(unit, properties);
    this.#next();
  }

  #next(): void {
    const first = this.#waiting.entries().next();
    if (this.#busy || first.done === true) return;
    const [unit, properties] = first.value;
    this.#waiting.delete(unit);
    this.#busy = true;
    const args = ['set-property', '--runtime', unit, ...properties];
    execFile('systemctl', args, { timeout: CALL_BOUND_MS }, (error, _, stderr) => {
      this.#busy = false;
      // The values stand in the files all the same, and are repaired there; a unit that has gone needs none.
      if (error !== null && !/not loaded|not found/i.test(stderr))
        this.#log(`${unit}: ${stderr.trim() || error.message}`);
      this.#next();
    });
  }
}
