import type { Host } from '../../../layers/domain/model/host.ts';
import type { InstanceType } from '../../../layers/domain/model/pool.ts';
import type { Resources } from '../../../layers/domain/model/resources.ts';
import type { Fleet, Job, Policy } from '../replay/simulator.ts';
import { type Bin, cheapestFor, firstFit, largestFirst, sumOf } from './packing.ts';

const BATCH_IDLE_MS = 1_000;
const BATCH_MAX_MS = 10_000;
const CONSOLIDATION_MS = 10_000;
const MAX_CANDIDATES = 100;
/** `disruption.budgets` default: a tenth of the nodes. */
const BUDGET_SHARE = 0.1;

export interface NewNode<T> {
  readonly type: InstanceType;
  readonly jobs: readonly T[];
}

/**
 * First-fit decreasing as Karpenter's provisioner does it: each pod goes to the first node with room, planned ones
 * included; a planned node keeps every instance type that still holds all its pods, and the cheapest of them is launched.
 */
export function firstFitDecreasing<T extends { readonly demand: Resources }>(
  jobs: readonly T[],
  bins: readonly Bin[],
  types: readonly InstanceType[],
): { readonly nodes: readonly NewNode<T>[]; readonly placed: ReadonlyMap<T, Host> } {
  const nodes: { type: InstanceType; jobs: T[] }[] = [];
  const placed = new Map<T, Host>();
  for (const job of largestFirst(jobs)) {
    const host = firstFit(bins, job.demand)?.host;
    if (host !== undefined) {
      placed.set(job, host);
      continue;
    }
    const node = nodes.find((each) => cheapestFor(types, sumOf([...each.jobs, job])) !== undefined);
    const type = cheapestFor(types, sumOf([...(node?.jobs ?? []), job]));
    if (type === undefined) throw new Error('no instance type holds a task');
    if (node === undefined) nodes.push({ type, jobs: [job] });
    else {
      node.jobs.push(job);
      node.type = type;
    }
  }
  return { nodes, placed };
}

/**
 * A model of a Karpenter-like autoscaler, written from its documentation, not a measurement of it: batches of 1 s idle and
 * 10 s at most, first-fit decreasing, consolidation of m nodes into others and at most one cheaper new node, ten per cent of
 * the nodes at a time, the replacement up before the old nodes are emptied. Sources: karpenter.sh "Scheduling",
 * "Disruption" and "Settings" (v1).
 */
export function karpenterLike(types: readonly InstanceType[]): Policy {
  let batchStart: number | undefined;
  let lastArrival = 0;
  let known = new Set<string>();
  let nextConsolidation = 0;
  let replacement: { readonly hostId: string; readonly old: readonly string[] } | undefined;
  return {
    name: 'Karpenter-like first fit (model)',
    step(fleet) {
      placeReady(fleet);
      const fresh = [...fleet.waiting.keys()].filter((id) => !known.has(id));
      if (fresh.length > 0) {
        batchStart ??= fleet.now;
        lastArrival = fleet.now;
      }
      known = new Set(fleet.waiting.keys());
      if (batchStart !== undefined) {
        const due = Math.min(lastArrival + BATCH_IDLE_MS, batchStart + BATCH_MAX_MS);
        if (fleet.now < due) fleet.wakeAt(due);
        else {
          batchStart = undefined;
          provision(fleet, types);
        }
      }
      replacement = finish(fleet, replacement);
      if (fleet.now < nextConsolidation) return;
      nextConsolidation = fleet.now + CONSOLIDATION_MS;
      fleet.wakeAt(nextConsolidation);
      if (fleet.waiting.size === 0 && replacement === undefined) replacement = consolidate(fleet, types);
    },
  };
}

const binsOf = (hosts: Iterable<Host>, state?: Host['state']): Bin[] =>
  [...hosts]
    .filter((host) => state === undefined || host.state === state)
    .map((host) => ({ host, left: host.left }));

function placeReady(fleet: Fleet): void {
  const bins = binsOf(fleet.hosts.values(), 'READY');
  for (const job of largestFirst([...fleet.waiting.values()])) {
    const host = firstFit(bins, job.demand)?.host;
    if (host !== undefined) fleet.place(job.id, host.hostId);
  }
}

function provision(fleet: Fleet, types: readonly InstanceType[]): void {
  const { nodes } = firstFitDecreasing([...fleet.waiting.values()], binsOf(fleet.hosts.values()), types);
  for (const { type } of nodes) fleet.launch(type);
}

/** Empties the old nodes once the replacement is up. */
function finish<T extends { readonly hostId: string; readonly old: readonly string[] }>(
  fleet: Fleet,
  replacement: T | undefined,
): T | undefined {
  if (replacement === undefined || fleet.hosts.get(replacement.hostId)?.state === 'BOOTING')
    return replacement;
  empty(fleet, replacement.old);
  return undefined;
}

/** Moves what fits elsewhere and gives back what is empty then. */
function empty(fleet: Fleet, old: readonly string[]): void {
  const others = binsOf(
    [...fleet.hosts.values()].filter(({ hostId }) => !old.includes(hostId)),
    'READY',
  );
  for (const hostId of old) {
    const claims = Object.values(fleet.hosts.get(hostId)?.claims ?? {});
    for (const { taskId, demand } of largestFirst(claims)) {
      const target = firstFit(others, demand)?.host;
      if (target === undefined) continue;
      fleet.evict(taskId);
      fleet.place(taskId, target.hostId);
    }
    const host = fleet.hosts.get(hostId);
    if (host !== undefined && Object.keys(host.claims).length === 0) fleet.terminate(hostId);
  }
}

function consolidate(
  fleet: Fleet,
  types: readonly InstanceType[],
): { readonly hostId: string; readonly old: readonly string[] } | undefined {
  const ready = [...fleet.hosts.values()].filter(({ state }) => state === 'READY');
  const budget = Math.max(1, Math.floor(ready.length * BUDGET_SHARE));
  const empties = ready.filter(({ claims }) => Object.keys(claims).length === 0).slice(0, budget);
  for (const { hostId } of empties) fleet.terminate(hostId);
  if (empties.length > 0) return undefined;
  const candidates = ready
    .sort((a, b) => Object.keys(a.claims).length - Object.keys(b.claims).length)
    .slice(0, Math.min(budget, MAX_CANDIDATES));
  // The largest m for which the first m nodes become others and at most one new one, by bisection.
  let [low, high] = [1, candidates.length];
  let found: { readonly old: readonly string[]; readonly node: NewNode<Job> | undefined } | undefined;
  while (low <= high) {
    const m = Math.floor((low + high) / 2);
    const tried = replaced(fleet, candidates.slice(0, m), types);
    if (tried === undefined) high = m - 1;
    else {
      found = tried;
      low = m + 1;
    }
  }
  found ??= candidates.map((host) => replaced(fleet, [host], types)).find((each) => each !== undefined);
  if (found === undefined) return undefined;
  if (found.node !== undefined) return { hostId: fleet.launch(found.node.type), old: found.old };
  empty(fleet, found.old);
  return undefined;
}

function replaced(
  fleet: Fleet,
  old: readonly Host[],
  types: readonly InstanceType[],
): { readonly old: readonly string[]; readonly node: NewNode<Job> | undefined } | undefined {
  const names = old.map(({ hostId }) => hostId);
  const jobs = old.flatMap(({ claims }) =>
    Object.values(claims).map(({ taskId, demand }) => ({
      id: taskId,
      demand,
      arrivesMs: 0,
      runsMs: 0,
      interruptible: true,
    })),
  );
  const others = [...fleet.hosts.values()].filter(({ hostId }) => !names.includes(hostId));
  const price = old.reduce((sum, { usdPerHour }) => sum + usdPerHour, 0);
  const cheaper = types.filter(({ usdPerHour }) => usdPerHour < price);
  const homeless = new Set(jobs);
  const bins = binsOf(others, 'READY');
  for (const job of largestFirst(jobs)) if (firstFit(bins, job.demand) !== undefined) homeless.delete(job);
  if (homeless.size === 0) return { old: names, node: undefined };
  const type = cheapestFor(cheaper, sumOf([...homeless]));
  return type === undefined ? undefined : { old: names, node: { type, jobs: [...homeless] } };
}
