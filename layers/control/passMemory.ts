import { HostCopy } from './hostCopy.ts';
import { IdleGaps } from './idleGaps.ts';

/** What a process keeps from one pass to the next. Nothing depends on it but cost: a new process begins without. */
export class PassMemory {
  readonly gaps = new IdleGaps();
  readonly #copies = new Map<string, HostCopy>();

  copyOf(cluster: string): HostCopy {
    const known = this.#copies.get(cluster);
    if (known !== undefined) return known;
    const made = new HostCopy();
    this.#copies.set(cluster, made);
    return made;
  }
}
