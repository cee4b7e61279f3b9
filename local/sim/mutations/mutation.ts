import type { Host } from '../../../layers/domain/model/host.ts';
import type { Store } from '../../../layers/ports/store.ts';
import type { Invariant } from '../checker.ts';
import { inner } from '../memoryTables.ts';
import type { PortDecorators, StoreParts } from '../simOptions.ts';

/** One planted error in the protocol, and which sentences it may be caught by. */
export interface Mutation {
  readonly name: string;
  readonly what: string;
  readonly decorators: PortDecorators;
  readonly caughtBy: readonly Invariant[];
  /** A seed that is known to find it, to look at first. */
  readonly seed?: number;
}

export const onStore = (change: (store: Store, parts: StoreParts) => Partial<Store>): PortDecorators => ({
  store: (store, parts) => ({ ...store, ...change(store, parts) }),
});

/** Lets a call see a host otherwise than it is, and undoes that afterwards. The memory store's calls run in one go. */
export async function seenAs<T>(
  { tables }: StoreParts,
  cluster: string,
  hostId: string,
  change: (host: Host) => Host,
  undo: (host: Host) => Host,
  call: () => Promise<T>,
): Promise<T> {
  const hosts = inner(tables.hosts, cluster);
  const before = hosts.get(hostId);
  if (before === undefined) return call();
  const { onHostWritten } = tables;
  tables.onHostWritten = undefined;
  const shown = change(before);
  hosts.set(hostId, shown);
  const result = call();
  tables.onHostWritten = onHostWritten;
  const after = hosts.get(hostId);
  if (after !== undefined) {
    const undone = undo(after);
    hosts.set(hostId, undone);
    if (after !== shown) onHostWritten?.(before, undone);
  }
  return result;
}

/** A class instance's methods live on its prototype, which a spread leaves behind. */
export const bound = <Port extends object>(port: Port, change: Partial<Port>): Port =>
  Object.assign(Object.create(port) as Port, change);
