import { type Knob, sameValue } from '../layers/domain/isolation/knob.ts';
import { formatCpuList, parseCpuList } from '../layers/domain/isolation/topology.ts';
import { type Change, orderWrites } from '../layers/domain/isolation/writeOrder.ts';
import { type CgroupFs, errorCode } from './cgroupFs.ts';
import { type CgroupMounts, controllerDirectory } from './cgroupMounts.ts';
import type { Journal, JournalEntry } from './journal.ts';

/**
 * - `held`: stood already - `written`: written and read back
 * - `deferred`: would kill what uses more now - `unsupported`: this kernel has no such file
 * - `failed`: refused or read back otherwise, see `detail`
 */
export interface KnobResult {
  readonly file: string;
  readonly outcome: 'held' | 'written' | 'deferred' | 'unsupported' | 'failed';
  readonly detail?: string;
}

export interface Reconciled {
  /** The group vanished meanwhile: nothing more is to be done for it. */
  readonly gone: boolean;
  /** Writes made, including refused ones. */
  readonly writes: number;
  readonly results: readonly KnobResult[];
}

/** Memory limits, with the file that tells what is in use. */
const USAGE_OF: Readonly<Record<string, string>> = {
  'memory.max': 'memory.current',
  'memory.limit_in_bytes': 'memory.usage_in_bytes',
  'memory.memsw.limit_in_bytes': 'memory.memsw.usage_in_bytes',
};

/**
 * On v1 a throttle holds for the processes of the very group that it stands on and for none below it, where a task's
 * processes are: it has to stand on each.
 */
const standsOnEachGroup = (version: 1 | 2, file: string): boolean =>
  version === 1 && file.startsWith('blkio.throttle.');

/** Brings one group's files to wanted values: reads, writes the ordered difference, reads back. At rest it only reads. */
export class Reconciler {
  readonly #fs: CgroupFs;
  readonly #mounts: CgroupMounts;
  readonly #journal: Journal;

  constructor(fs: CgroupFs, mounts: CgroupMounts, journal: Journal) {
    this.#fs = fs;
    this.#mounts = mounts;
    this.#journal = journal;
  }

  /** Never throws for what the kernel answers: each knob's failure stands in its result. */
  apply(cgroup: string, knobs: readonly Knob[]): Reconciled {
    const inode = this.inode(cgroup);
    if (inode === undefined) return { gone: true, writes: 0, results: [] };
    const results: KnobResult[] = [];
    const changes: Change[] = [];
    for (const knob of knobs) {
      const from = this.#read(cgroup, knob);
      if (from === undefined) results.push({ file: knob.file, outcome: 'unsupported' });
      else if (sameValue(knob.file, from, knob.value)) results.push({ file: knob.file, outcome: 'held' });
      else changes.push({ knob, from });
    }
    // Prior values must be known before they are overwritten, even if this process dies between the two.
    this.#journal.record(inode, this.#journalled(inode, changes));
    let writes = 0;
    for (const change of orderWrites(changes)) {
      const result = this.#change(cgroup, change);
      if (result.outcome !== 'deferred') writes += 1;
      results.push(result);
    }
    return { gone: this.inode(cgroup) !== inode, writes, results };
  }

  /** Identifies the group in the hierarchy whose limits matter most. */
  inode(cgroup: string): number | undefined {
    const directory = controllerDirectory(this.#mounts, 'memory', cgroup);
    return directory === undefined ? undefined : this.#fs.inode(directory);
  }

  /** Whether this or an earlier agent has written the file of this group. */
  wrote(cgroup: string, file: string): boolean {
    const inode = this.inode(cgroup);
    return inode !== undefined && this.#journal.entries(inode).has(file);
  }

  /** A file as ECS left it: what it held before our write, unless somebody has written since. */
  ecsValue(cgroup: string, controller: string, file: string): string | undefined {
    const directory = controllerDirectory(this.#mounts, controller, cgroup);
    const inode = this.inode(cgroup);
    if (directory === undefined || inode === undefined) return undefined;
    const now = this.#readFile(`${directory}/${file}`);
    const entry = this.#journal.entries(inode).get(file);
    return now !== undefined && entry !== undefined && sameValue(file, now, entry.applied)
      ? entry.prior
      : now;
  }

  /** What the knob's file holds, and where it stands on several groups, the first that holds something else. */
  #read(cgroup: string, knob: Knob): string | undefined {
    const { file, value } = knob;
    const contents = this.#groups(cgroup, knob).map((directory) => this.#readFile(`${directory}/${file}`));
    return (
      contents.find((content) => content !== undefined && !sameValue(file, content, value)) ?? contents[0]
    );
  }

  /** Directories in which the knob's file is to be written. */
  #groups(cgroup: string, { controller, file }: Knob): string[] {
    const own = controllerDirectory(this.#mounts, controller, cgroup);
    if (own === undefined) return [];
    if (!standsOnEachGroup(this.#mounts.version, file)) return [own];
    return [own, ...this.#fs.list(own).map((child) => `${own}/${child}`)];
  }

  #readFile(path: string): string | undefined {
    try {
      return this.#fs.read(path).trim();
    } catch {
      // Not in this kernel, or gone with its group: the caller sees which by the inode.
      return undefined;
    }
  }

  #journalled(inode: number, changes: readonly Change[]): Map<string, JournalEntry> {
    const entries = this.#journal.entries(inode);
    return new Map(
      changes.map(({ knob: { file, value }, from }) => {
        const known = entries.get(file);
        const ours = known !== undefined && sameValue(file, from, known.applied);
        return [file, { prior: ours ? known.prior : from, applied: value }] as const;
      }),
    );
  }

  #change(cgroup: string, { knob, from }: Change): KnobResult {
    const { file, value } = knob;
    const directory = controllerDirectory(this.#mounts, knob.controller, cgroup) ?? '';
    const usageFile = USAGE_OF[file];
    const usage = usageFile === undefined ? undefined : this.#readFile(`${directory}/${usageFile}`);
    if (usage !== undefined && Number(usage) > Number(value)) {
      return { file, outcome: 'deferred', detail: `${usage.trim()} bytes are in use` };
    }
    try {
      if (file === 'cpuset.cpus' && this.#mounts.version === 1) this.#writeCpusetV1(directory, from, value);
      else for (const group of this.#groups(cgroup, knob)) this.#fs.write(`${group}/${file}`, value);
    } catch (error) {
      return { file, outcome: 'failed', detail: `${errorCode(error)} writing ${value}` };
    }
    const got = this.#read(cgroup, knob);
    if (got !== undefined && sameValue(file, got, value)) return { file, outcome: 'written' };
    return { file, outcome: 'failed', detail: `reads ${got ?? 'nothing'} after writing ${value}` };
  }

  /**
   * On v1 a child may never hold a CPU its parent lacks. Going over the union of old and new, every step is legal
   * whichever way the set changes.
   */
  #writeCpusetV1(directory: string, from: string, value: string): void {
    const union = formatCpuList([...parseCpuList(from), ...parseCpuList(value)]);
    if (union !== from) this.#fs.write(`${directory}/cpuset.cpus`, union);
    for (const child of this.#fs.list(directory)) this.#fs.write(`${directory}/${child}/cpuset.cpus`, value);
    if (union !== value) this.#fs.write(`${directory}/cpuset.cpus`, value);
  }
}
