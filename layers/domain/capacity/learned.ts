import type { Host } from '../model/host.ts';

type Attributes = Readonly<Record<string, string>>;

/** Attributes by pool. */
export type LearnedAttributes = ReadonlyMap<string, Attributes>;

/**
 * Attributes that every registered host of a pool has in common: its launch template sets them, so a new host will have
 * them too. A pool without hosts has taught nothing yet.
 */
export function attributesLearned(hosts: readonly Host[]): LearnedAttributes {
  const learned = new Map<string, Record<string, string>>();
  for (const { pool, state, attributes } of hosts) {
    if (state === 'BOOTING' || state === 'TERMINATING') continue;
    const known = learned.get(pool);
    if (known === undefined) learned.set(pool, withoutBuiltIns(attributes));
    else for (const name of Object.keys(known)) if (known[name] !== attributes[name]) delete known[name];
  }
  return learned;
}

/** What follows from type and zone is asked of each offer instead. */
const withoutBuiltIns = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !/^(ecs|berth)\./.test(name)));
