import { holdKey, inheritance } from '../domain/lifecycle/hold.ts';
import { withFailure } from '../domain/lifecycle/launchFailures.ts';
import type { Claim, Host } from '../domain/model/host.ts';
import { amountOf, plus, type Resources } from '../domain/model/resources.ts';
import type { ClaimEnd, HostStore } from '../ports/store.ts';
import { type Item, Update } from './expression.ts';
import { claimsOf, pack } from './hostItem.ts';
import { keysOfHost } from './readHosts.ts';
import { untilStable } from './retry.ts';
import { getItem, type Table, updateItem } from './tableAccess.ts';

/** The guards of so many fit well into an expression's 4 KB, whatever their claims are. */
const ENDS_PER_WRITE = 25;

/**
 * Claims say what they hold, so reading them first is safe; the write is conditional on each one's presence and on its
 * heir, which makes a release happen once. One that was given back meanwhile refuses the write: the host is read again,
 * and the others are given back without it.
 */
export const releaseClaims =
  (table: Table): HostStore['releaseClaims'] =>
  async (cluster, hostId, ends, nowMs) => {
    const { hot: key } = await keysOfHost(table, cluster, hostId);
    const released: string[] = [];
    for (let from = 0; from < ends.length; from += ENDS_PER_WRITE) {
      const part = ends.slice(from, from + ENDS_PER_WRITE);
      const ids = await untilStable(table.retry, `host ${hostId}`, async () => {
        const hot = await getItem(table, key);
        const claims = hot === undefined ? {} : claimsOf(hot);
        const present = presentEnds(claims, part);
        if (hot === undefined || present.length === 0) return [];
        const { update, condition } = releaseUpdate(hot, claims, present, nowMs);
        const { held } = await updateItem(table, key, update, condition);
        return held ? present.map(({ claim }) => claim.taskId) : undefined;
      });
      released.push(...ids);
    }
    return { released };
  };

interface PresentEnd {
  readonly claim: Claim;
  readonly failedToStart: boolean;
}

/** Those that hold a claim here, each once. */
function presentEnds(claims: Host['claims'], ends: readonly ClaimEnd[]): PresentEnd[] {
  const present = new Map<string, PresentEnd>();
  for (const { taskId, attempt, failedToStart = false } of ends) {
    const claim = claims[taskId];
    if (claim?.attempt === attempt && !present.has(taskId)) present.set(taskId, { claim, failedToStart });
  }
  return [...present.values()];
}

interface Account {
  /** What nobody claims any more. */
  readonly freed: Resources;
  readonly ports: readonly string[];
  /** Holds that grow by what their victims give back, as they are then. */
  readonly grown: ReadonlyMap<string, Claim>;
  /** Victims whose heir has no hold that takes their room. */
  readonly orphaned: readonly Claim[];
}

function accountOf(state: Host['state'], claims: Host['claims'], ends: readonly PresentEnd[]): Account {
  const gone = new Set(ends.map(({ claim }) => claim.taskId));
  const grown = new Map<string, Claim>();
  const orphaned: Claim[] = [];
  const ports: string[] = [];
  let freed: Resources = {};
  const kept = Object.fromEntries(Object.entries(claims).filter(([key]) => !gone.has(key)));
  for (const { claim } of ends) {
    const legacy = inheritance({ state, claims: { ...kept, ...Object.fromEntries(grown) } }, claim);
    const hold = legacy && (grown.get(legacy.key) ?? claims[legacy.key]);
    if (legacy !== undefined && hold !== undefined) {
      const demand = plus(hold.demand, legacy.demand);
      grown.set(legacy.key, { ...hold, demand, hostPorts: [...hold.hostPorts, ...legacy.ports] });
    } else if (claim.heir !== undefined && !gone.has(holdKey(claim.heir))) orphaned.push(claim);
    for (const dimension of Object.keys(claim.demand)) {
      const amount = amountOf(claim.demand, dimension) - amountOf(legacy?.demand ?? {}, dimension);
      if (amount > 0) freed = plus(freed, { [dimension]: amount });
    }
    ports.push(...claim.hostPorts.filter((port) => !legacy?.ports.includes(port)));
  }
  return { freed, ports, grown, orphaned };
}

function releaseUpdate(hot: Item, claims: Host['claims'], ends: readonly PresentEnd[], nowMs: number) {
  const { freed, ports, grown, orphaned } = accountOf(hot.state as Host['state'], claims, ends);
  const update = new Update();
  const isReady = () => update.equals(update.path('state'), 'READY');
  const guards = ends.map(({ claim }) => {
    const slot = update.path('claims', claim.taskId);
    update.remove(slot);
    // A hold grows as its victims end: what is given back is what was read, or nothing.
    if (claim.hold !== undefined) return update.equals(slot, pack(claim));
    const held = update.equals(update.path('claims', claim.taskId, 'a'), claim.attempt);
    if (claim.heir !== undefined) return held;
    // Whom its room goes to may have been decided since the claim was read.
    return `${held} AND attribute_not_exists(${update.path('claims', claim.taskId, 'e')})`;
  });
  for (const [key, hold] of grown) {
    const slot = update.path('claims', key);
    guards.push(`${update.equals(slot, pack(claims[key] as Claim))} AND ${isReady()}`);
    update.set(slot, pack(hold));
  }
  for (const { heir = '' } of orphaned) {
    guards.push(`attribute_not_exists(${update.path('claims', holdKey(heir))}) OR NOT ${isReady()}`);
  }
  for (const [dimension, amount] of Object.entries(freed)) {
    const path = update.path('left', dimension);
    update.assign(path, `if_not_exists(${path}, ${update.value(0)}) + ${update.value(amount)}`);
  }
  update.deleteFromSet('ports', ports);
  const failed = ends.filter(({ failedToStart }) => failedToStart);
  const before = hot.launchFailures as Host['launchFailures'];
  const failures = failed.reduce((sum, _end) => withFailure(sum, nowMs), before);
  if (failed.length > 0) update.set(update.path('launchFailures'), failures);
  // Whether they are the host's last claims decides about `idleSince` and is part of the condition too.
  const last = ends.length === Object.keys(claims).length;
  if (last) update.set(update.path('idleSince'), nowMs);
  guards.push(`size(${update.path('claims')}) ${last ? '=' : '>'} ${update.value(ends.length)}`);
  return { update, condition: guards.map((guard) => `(${guard})`).join(' AND ') };
}
