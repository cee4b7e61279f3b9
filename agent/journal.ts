import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a file held before the agent's first write to it, and what the agent wrote last. */
export interface JournalEntry {
  readonly prior: string;
  readonly applied: string;
}

/** Per cgroup, by its inode: a path can come back as another group. */
export interface Journal {
  entries(inode: number): ReadonlyMap<string, JournalEntry>;
  /** Durable against the agent's own death when it returns. */
  record(inode: number, entries: ReadonlyMap<string, JournalEntry>): void;
  forget(inode: number): void;
  /** Drops groups that are gone. */
  keepOnly(inodes: ReadonlySet<number>): void;
}

interface Stored {
  readonly bootId: string;
  readonly entries: readonly (readonly [string, JournalEntry])[];
}

/** One small file per group, so that an arrival writes only its own. Inodes start anew with each boot. */
export function fileJournal(directory: string, bootId: string): Journal {
  mkdirSync(directory, { recursive: true });
  const known = new Map<number, Map<string, JournalEntry>>();
  for (const name of readdirSync(directory)) {
    const inode = Number(/^(\d+)\.json$/.exec(name)?.[1]);
    const stored = Number.isInteger(inode) ? readStored(join(directory, name)) : undefined;
    if (stored?.bootId === bootId) known.set(inode, new Map(stored.entries));
    else rmSync(join(directory, name), { force: true });
  }
  const forget = (inode: number): void => {
    if (known.delete(inode)) rmSync(join(directory, `${inode}.json`), { force: true });
  };
  return {
    entries: (inode) => known.get(inode) ?? new Map(),
    record(inode, added) {
      if (added.size === 0) return;
      const entries = new Map([...(known.get(inode) ?? []), ...added]);
      known.set(inode, entries);
      const target = join(directory, `${inode}.json`);
      const stored: Stored = { bootId, entries: [...entries] };
      writeFileSync(`${target}.new`, JSON.stringify(stored));
      renameSync(`${target}.new`, target);
    },
    forget,
    keepOnly(inodes) {
      for (const inode of known.keys()) if (!inodes.has(inode)) forget(inode);
    },
  };
}

function readStored(file: string): Stored | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored;
  } catch {
    // Torn by a death in the middle of a write: the group's present values count as its prior ones.
    return undefined;
  }
}
