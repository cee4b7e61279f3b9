import { DatabaseSync } from 'node:sqlite';

/**
 * One engine's records by key. Reads come from memory; a write is durable against a killed process when the call
 * returns. Values are JSON; treat what `get` returns as frozen and `set` a new object.
 */
export interface Collection<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): boolean;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
}

/** Where engines keep what must outlive the process (`sqliteState`) or only the run (`memoryState`). */
export interface EngineState {
  collection<T>(name: string): Collection<T>;
  /**
   * Runs synchronous work whose writes belong together: a killed process leaves all of them or none. What was written
   * before `work` throws stays written. Calls may nest; the outermost one counts.
   */
  atomically<T>(work: () => T): T;
  close(): void;
}

/** A collection is found again by its name: an engine made anew on the same state is an engine restarted. */
export function memoryState(): EngineState {
  const collections = new Map<string, Map<string, unknown>>();
  return {
    collection<T>(name: string): Collection<T> {
      const known = collections.get(name) ?? new Map<string, unknown>();
      collections.set(name, known);
      return known as Map<string, T>;
    },
    atomically: (work) => work(),
    close: () => {},
  };
}

/**
 * State in one SQLite file. `synchronous = OFF` because the promise is to survive `kill -9` of the process, for which
 * the page cache is enough; a power cut may lose the last writes.
 */
export function sqliteState(file: string): EngineState {
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  database.exec(
    'CREATE TABLE IF NOT EXISTS record (collection TEXT, key TEXT, value TEXT, PRIMARY KEY (collection, key)) WITHOUT ROWID',
  );
  const select = database.prepare('SELECT key, value FROM record WHERE collection = ?');
  const upsert = database.prepare('INSERT OR REPLACE INTO record (collection, key, value) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM record WHERE collection = ? AND key = ?');
  let depth = 0;
  return {
    atomically(work) {
      if (depth++ === 0) database.exec('BEGIN');
      try {
        return work();
      } finally {
        // Committed even when work throws: memory has the writes already, and the file must not differ from it.
        if (--depth === 0) database.exec('COMMIT');
      }
    },
    collection<T>(name: string): Collection<T> {
      const memory = new Map<string, T>();
      for (const row of select.all(name)) memory.set(String(row.key), JSON.parse(String(row.value)) as T);
      return {
        get: (key) => memory.get(key),
        set(key, value) {
          upsert.run(name, key, JSON.stringify(value));
          memory.set(key, value);
        },
        delete(key) {
          remove.run(name, key);
          return memory.delete(key);
        },
        values: () => memory.values(),
        entries: () => memory.entries(),
        get size() {
          return memory.size;
        },
      };
    },
    close: () => database.close(),
  };
}
