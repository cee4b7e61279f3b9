import type { Cpu, HostTopology } from './topology.ts';

export interface PinRequest {
  /** The task's cgroup. */
  readonly key: string;
  readonly cpus: number;
  /** Taken from these, when enough of them are free. */
  readonly among?: readonly number[];
}

export interface CpuPools {
  readonly pinned: ReadonlyMap<string, readonly number[]>;
  /** What every other task runs on; never empty. */
  readonly shared: readonly number[];
  /** Requests that did not fit, with the reason. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Gives each request whole cores of its own. Those that hold CPUs already keep them, so that a newcomer never moves a
 * running task. Others take, in order: one NUMA node over several, free whole cores over halves of cores, low ids.
 * One CPU at least stays shared.
 */
export function assignCpus(
  topology: HostTopology,
  requests: readonly PinRequest[],
  held: ReadonlyMap<string, readonly number[]>,
): CpuPools {
  const free = new Map(topology.cpus.map((cpu) => [cpu.id, cpu]));
  const pinned = new Map<string, readonly number[]>();
  const refused = new Map<string, string>();
  for (const { key, cpus } of requests) {
    const kept = held.get(key);
    if (kept?.length !== cpus || !kept.every((id) => free.has(id)) || cpus >= free.size) continue;
    pinned.set(key, kept);
    for (const id of kept) free.delete(id);
  }
  for (const { key, cpus, among } of requests) {
    if (pinned.has(key)) continue;
    if (cpus >= free.size) {
      refused.set(key, `${cpus} CPUs asked, ${free.size - 1} can be given away`);
      continue;
    }
    const wished = [...free.values()].filter(({ id }) => among?.includes(id) === true);
    const chosen = choose(wished.length >= cpus ? wished : [...free.values()], cpus);
    pinned.set(key, chosen);
    for (const id of chosen) free.delete(id);
  }
  return { pinned, shared: [...free.keys()].sort((a, b) => a - b), refused };
}

function choose(free: readonly Cpu[], count: number): number[] {
  const nodes = Map.groupBy(free, ({ node }) => node);
  // The fullest node that still holds the request keeps the emptier ones whole for larger requests.
  const fitting = [...nodes.values()]
    .filter((cpus) => cpus.length >= count)
    .sort((a, b) => a.length - b.length || (a[0]?.node ?? 0) - (b[0]?.node ?? 0));
  const from = fitting[0] ?? free;
  const cores = [...Map.groupBy(from, ({ core }) => core).values()].sort(
    (a, b) => b.length - a.length || (a[0]?.id ?? 0) - (b[0]?.id ?? 0),
  );
  const chosen: number[] = [];
  for (const threads of cores) {
    if (chosen.length + threads.length <= count) chosen.push(...threads.map(({ id }) => id));
  }
  // What is left is less than a core: single threads, from the smallest cores.
  const rest = cores
    .flat()
    .filter(({ id }) => !chosen.includes(id))
    .reverse();
  for (const { id } of rest.slice(0, count - chosen.length)) chosen.push(id);
  return chosen.sort((a, b) => a - b);
}
