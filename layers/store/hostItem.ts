import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Claim, EndedHost, Host, LeavingHost } from '../domain/model/host.ts';
import type { Item } from './expression.ts';
import { hostInfoKey, hostKey } from './keys.ts';

/**
 * A host is two items. A write costs the whole item, and a real host registers over a kilobyte of attributes: they stay
 * out of the item that every claim and release writes. Claims have one-letter names for the same reason (about ten plain
 * claims fit into the first kilobyte).
 */
export function hostItems(host: Host, cell: number): { readonly hot: Item; readonly info: Item } {
  const { state, stateReason, stateSince, epoch, capacity, left, idleSince, ecsVersion, registeredAt } = host;
  const { launchFailures } = host;
  const { hostId, cluster, pool, instanceType, zone, lifecycle, architecture, usdPerHour } = host;
  const { containerInstanceArn, attributes, orderId, replaces, launchedAt } = host;
  return {
    hot: {
      ...hostKey(cluster, cell, hostId),
      kind: 'HOST',
      ...{ state, stateReason, stateSince, epoch, capacity, left, idleSince, ecsVersion, registeredAt },
      launchFailures,
      claims: Object.fromEntries(Object.entries(host.claims).map(([taskId, claim]) => [taskId, pack(claim)])),
      ...(host.ports.length > 0 && { ports: new Set(host.ports) }),
    },
    info: {
      ...hostInfoKey(cluster, cell, hostId),
      kind: 'HOST_INFO',
      ...{ hostId, cluster, pool, instanceType, zone, lifecycle, architecture, usdPerHour },
      ...{ containerInstanceArn, attributes, orderId, replaces, launchedAt },
    },
  };
}

export function hostFromItems(hot: Item, info: Item): Host {
  const { pk: _pk, sk: _sk, kind: _kind, ...facts } = info;
  const { pk: _hotPk, sk: _hotSk, kind: _hotKind, leaving: _leaving, claims, ports, ...state } = hot;
  return {
    ...facts,
    ...state,
    ports: [...((ports as ReadonlySet<string> | undefined) ?? [])].sort(),
    claims: claimsOf(hot),
  } as unknown as Host;
}

/** What a host that is given back takes along of the record beside its own, for its announcement. */
export function announcedOf(info: Item): Item {
  const { hostId, cluster, pool, instanceType, zone, lifecycle, usdPerHour, launchedAt } = info;
  return { hostId, cluster, pool, instanceType, zone, lifecycle, usdPerHour, launchedAt };
}

/** The host whose giving back these two images of the stream record; undefined for any other change. */
export function leavingFromImages(
  before: Record<string, AttributeValue> | undefined,
  after: Record<string, AttributeValue> | undefined,
): LeavingHost | undefined {
  if (after?.kind?.S !== 'HOST' || after.leaving === undefined || before?.leaving !== undefined)
    return undefined;
  const { leaving, stateReason } = unmarshall(after);
  return { ...leaving, stateReason } as LeavingHost;
}

/** The host whose record these two images of the stream show removed; undefined for any other change. */
export function endedFromImages(
  before: Record<string, AttributeValue> | undefined,
  after: Record<string, AttributeValue> | undefined,
): EndedHost | undefined {
  if (after !== undefined || before?.kind?.S !== 'HOST') return undefined;
  const { leaving, stateReason, stateSince } = unmarshall(before);
  // One that was taken off the record without having been given up has not been a host.
  if (leaving === undefined || stateSince === undefined) return undefined;
  return { ...leaving, stateReason, endedAt: stateSince } as EndedHost;
}

export const claimsOf = (hot: Item): Record<string, Claim> =>
  Object.fromEntries(
    Object.entries((hot.claims ?? {}) as Record<string, PackedClaim>).map(([taskId, packed]) => [
      taskId,
      unpack(taskId, packed),
    ]),
  );

/**
 * `a` attempt, `d` demand, `t` claimed at, `g` group; `h` host ports, `p` priority, `o` source, `i` interruptible and `c` constrained unless default;
 * `s` stopping, `e` heir and `n` hold.
 */
interface PackedClaim {
  readonly a: number;
  readonly d: Claim['demand'];
  readonly t: number;
  readonly g: string;
  readonly h?: readonly string[];
  readonly p?: number;
  readonly o?: string;
  readonly i?: true;
  readonly c?: true;
  readonly s?: true;
  readonly e?: string;
  readonly n?: NonNullable<Claim['hold']>;
}

export const pack = (claim: Omit<Claim, 'taskId'>): PackedClaim => ({
  a: claim.attempt,
  d: claim.demand,
  t: claim.claimedAt,
  g: claim.group,
  ...(claim.hostPorts.length > 0 && { h: claim.hostPorts }),
  ...(claim.priority !== 0 && { p: claim.priority }),
  ...(claim.source !== undefined && { o: claim.source }),
  ...(claim.interruptible && { i: true }),
  ...(claim.constrained === true && { c: true }),
  ...(claim.stopping === true && { s: true }),
  ...(claim.heir !== undefined && { e: claim.heir }),
  ...(claim.hold !== undefined && { n: claim.hold }),
});

const unpack = (taskId: string, packed: PackedClaim): Claim => ({
  taskId,
  attempt: packed.a,
  demand: packed.d,
  hostPorts: packed.h ?? [],
  claimedAt: packed.t,
  group: packed.g,
  priority: packed.p ?? 0,
  interruptible: packed.i ?? false,
  ...(packed.o !== undefined && { source: packed.o }),
  ...(packed.c && { constrained: true }),
  ...(packed.s && { stopping: true }),
  ...(packed.e !== undefined && { heir: packed.e }),
  ...(packed.n !== undefined && { hold: packed.n }),
});
