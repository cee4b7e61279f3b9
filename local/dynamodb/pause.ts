import type { EngineClock } from '../engine/clock.ts';

/**
 * A wait that something may cut short. A wake-up that comes while nobody waits is kept for the next wait, so that a write
 * during a poll is not slept over.
 */
export class Pause {
  readonly #clock: EngineClock;
  #awake = false;
  #resume: (() => void) | undefined;

  constructor(clock: EngineClock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#awake = true;
    this.#resume?.();
  }

  /** Resolves at a wake-up, or after `delayMs` if one is given; true when it was woken. */
  async wait(delayMs?: number): Promise<boolean> {
    if (!this.#awake) {
      await new Promise<void>((resolve) => {
        const cancel = delayMs === undefined ? undefined : this.#clock.after(delayMs, resolve);
        this.#resume = () => {
          cancel?.();
          resolve();
        };
      });
      this.#resume = undefined;
    }
    const woken = this.#awake;
    this.#awake = false;
    return woken;
  }
}
