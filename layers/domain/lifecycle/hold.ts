import type { Claim, Host } from '../model/host.ts';
import { amountOf, fitsInto, minus, plus, type Resources } from '../model/resources.ts';
import type { Task } from '../model/task.ts';

/** A hold's key among its host's claims: apart from the claim that its heir will have there. */
export const holdKey = (heir: string): string => `hold#${heir}`;

/** How long victims may take to stop: ECS's longest `stopTimeout` is 120 s. After that the heir is planned anew. */
export const HOLD_MS = 180_000;

export interface HoldRequest {
  readonly epoch: number;
  readonly nowMs: number;
  readonly heir: Pick<Claim, 'taskId' | 'attempt' | 'demand' | 'hostPorts' | 'group' | 'priority'>;
  readonly victims: readonly Pick<Claim, 'taskId' | 'attempt'>[];
}

const smaller = (a: Resources, b: Resources): Resources =>
  Object.fromEntries(
    Object.keys(b)
      .map((dimension) => [dimension, Math.min(amountOf(a, dimension), amountOf(b, dimension))] as const)
      .filter(([, amount]) => amount > 0),
  );

/**
 * The host with room kept for the heir: what is left of it goes to the hold at once, and each victim's claim names the
 * heir, so that its room follows when it is given back. The hold is a claim like any other in the host's account, which is
 * why nobody else can have the room. `undefined` when a victim has gone already or would not be enough.
 */
export function withHold(host: Host, request: HoldRequest): Host | undefined {
  const { heir, victims, epoch, nowMs } = request;
  if (host.state !== 'READY' || host.epoch !== epoch || host.claims[heir.taskId] !== undefined)
    return undefined;
  const claims: Record<string, Claim> = { ...host.claims };
  let freed = host.left;
  const freedPorts = new Set<string>();
  for (const { taskId, attempt } of victims) {
    const claim = host.claims[taskId];
    if (claim?.attempt !== attempt || claim.heir !== undefined || claim.hold !== undefined) return undefined;
    claims[taskId] = { ...claim, stopping: true, heir: heir.taskId };
    freed = plus(freed, claim.demand);
    for (const port of claim.hostPorts) freedPorts.add(port);
  }
  const taken = heir.hostPorts.filter((port) => host.ports.includes(port));
  if (!fitsInto(heir.demand, freed) || taken.some((port) => !freedPorts.has(port))) return undefined;
  const demand = smaller(host.left, heir.demand);
  const hostPorts = heir.hostPorts.filter((port) => !taken.includes(port));
  claims[holdKey(heir.taskId)] = {
    taskId: holdKey(heir.taskId),
    attempt: heir.attempt,
    demand,
    hostPorts,
    claimedAt: nowMs,
    group: heir.group,
    priority: heir.priority,
    interruptible: false,
    hold: { need: heir.demand, ports: heir.hostPorts },
  };
  return { ...host, claims, left: minus(host.left, demand), ports: [...host.ports, ...hostPorts].sort() };
}

/** What of a claim that is given back goes to its heir's hold; `undefined` when it has none here any more. */
export function inheritance(
  host: Pick<Host, 'state' | 'claims'>,
  claim: Claim,
): { readonly key: string; readonly demand: Resources; readonly ports: readonly string[] } | undefined {
  const key = claim.heir === undefined ? undefined : holdKey(claim.heir);
  const held = key === undefined ? undefined : host.claims[key];
  if (key === undefined || held?.hold === undefined || host.state !== 'READY') return undefined;
  return {
    key,
    demand: smaller(claim.demand, minus(held.hold.need, held.demand)),
    ports: claim.hostPorts.filter(
      (port) => held.hold?.ports.includes(port) && !held.hostPorts.includes(port),
    ),
  };
}

export interface HeldPlace {
  readonly host: Host;
  readonly hold: Claim;
  readonly heir: string;
}

const HOLD_PREFIX = holdKey('');

/** By keys: of a large cluster's hundred thousand claims hardly any is looked at. */
export function heldPlaces(hosts: readonly Host[]): HeldPlace[] {
  const places: HeldPlace[] = [];
  for (const host of hosts) {
    for (const key in host.claims) {
      const hold = key.startsWith(HOLD_PREFIX) ? host.claims[key] : undefined;
      if (hold?.hold !== undefined) places.push({ host, hold, heir: key.slice(HOLD_PREFIX.length) });
    }
  }
  return places;
}

/** A hold is void when its heir has gone elsewhere or ended, its host takes nothing, or its victims took too long. */
export const isVoidHold = ({ host, hold }: HeldPlace, heir: Task | undefined, nowMs: number): boolean =>
  host.state !== 'READY' ||
  heir?.state !== 'PENDING' ||
  heir.attempt !== hold.attempt ||
  nowMs >= hold.claimedAt + HOLD_MS;

/** Whether the heir fits now: what is held for it and what is left beside that are enough. */
export const isComplete = ({ host, hold }: HeldPlace): boolean =>
  hold.hold !== undefined &&
  fitsInto(minus(hold.hold.need, hold.demand), host.left) &&
  hold.hold.ports.every((port) => hold.hostPorts.includes(port) || !host.ports.includes(port));

/** The claims whose end the heir still waits for. */
export const victimsOf = ({ host, heir }: HeldPlace): Claim[] =>
  Object.values(host.claims).filter((claim) => claim.heir === heir);
