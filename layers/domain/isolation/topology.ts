/** One hardware thread. */
export interface Cpu {
  readonly id: number;
  /** The same for threads of one physical core, unique on the host. */
  readonly core: string;
  /** NUMA node. */
  readonly node: number;
}

/** What the planner needs to know of a host; read once at the agent's start. */
export interface HostTopology {
  readonly cgroupVersion: 1 | 2;
  /** CPUs that tasks may use, by id. */
  readonly cpus: readonly Cpu[];
  readonly memoryBytes: number;
  /** 0: a group above `memory.high` would stall for ever, since nothing can be written out. */
  readonly swapBytes: number;
  readonly pageBytes: number;
  /** Page sizes as the kernel names them in `hugetlb.<size>.max`, e.g. `2MB`. */
  readonly hugePageSizes: readonly string[];
}

/** Reads a kernel CPU list such as `0-3,8`; empty for an empty list. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** Writes a CPU list as the kernel does: ascending, runs joined. */
export function formatCpuList(cpus: Iterable<number>): string {
  const sorted = [...new Set(cpus)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const cpu of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === cpu - 1) last[1] = cpu;
    else runs.push([cpu, cpu]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}
