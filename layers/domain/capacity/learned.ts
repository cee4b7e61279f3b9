import type { Host } from '../model/host.ts';
import { agentAttributes } from '../placement/attributes.ts';

type Attributes = Readonly<Record<string, string>>;

/** Attributes by pool. */
export type LearnedAttributes = ReadonlyMap<string, Attributes>;

/**
 * Attributes that every registered host of a pool has in common: its launch template sets them, so a new host will have
 * them too, and will lack what all of them lack. A pool without hosts has taught nothing yet.
 */
export function attributesLearned(hosts: readonly Host[]): LearnedAttributes {
  const learned = new Map<string, Record<string, string>>();
  for (const host of hosts) {
    const { pool, state } = host;
    if (state === 'BOOTING' || state === 'TERMINATING') continue;
    const attributes = { ...withoutBuiltIns(host.attributes), ...cannotOf(host) };
    const known = learned.get(pool);
    if (known === undefined) learned.set(pool, attributes);
    else for (const name of Object.keys(known)) if (known[name] !== attributes[name]) delete known[name];
  }
  return learned;
}

const cannotOf = (host: Host): Attributes => (host.agentSeenAt === undefined ? {} : agentAttributes(host));

/** What follows from type and zone is asked of each offer instead. */
const withoutBuiltIns = (attributes: Attributes): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !/^(ecs|berth)\./.test(name)));
