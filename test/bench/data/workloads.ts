import type { Host } from '../../../layers/domain/model/host.ts';
import { fitsInto, minus, type Resources } from '../../../layers/domain/model/resources.ts';
import type { Task, TaskSpec } from '../../../layers/domain/model/task.ts';
import { claim, host, task } from '../../../layers/domain/placement/testWorld.ts';

/** Mulberry32: the same numbers from the same seed everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const pick = <T>(random: () => number, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T;

/** 100 task shapes of up to 0.75 vCPU and 3 GiB. */
export function shapes(seed: number): Resources[] {
  const random = seeded(seed);
  return Array.from({ length: 100 }, () => ({
    cpu: 64 * (1 + Math.floor(random() * 12)),
    memory: 64 * (1 + Math.floor(random() * 48)),
  }));
}

/** 16 vCPU and 64 GiB. */
export const HOST_16: Resources = { cpu: 16_384, memory: 65_536 };

export interface Running {
  /** Share of the host that is taken, of the dimension that fills first. */
  readonly fill: number;
  readonly tasksPerHost: number;
  readonly priority?: number;
  readonly interruptible?: boolean;
}

/** Hosts in three zones with running tasks of the shapes; the tasks of a host share one of 20 groups. */
export function hosts(count: number, sizes: readonly Resources[], running: Running): Host[] {
  const random = seeded(count);
  return Array.from({ length: count }, (_, n) => {
    const claims: Record<string, ReturnType<typeof claim>> = {};
    const floor = {
      cpu: (HOST_16.cpu ?? 0) * (1 - running.fill),
      memory: (HOST_16.memory ?? 0) * (1 - running.fill),
    };
    let left = HOST_16;
    for (let k = 0; k < running.tasksPerHost; k += 1) {
      const demand = pick(random, sizes);
      if (!fitsInto(demand, minus(left, floor))) break;
      const taskId = `r${n}-${k}`;
      const { priority = 0, interruptible = false } = running;
      claims[taskId] = claim({ taskId, demand, group: `g${n % 20}`, claimedAt: k, priority, interruptible });
      left = minus(left, demand);
    }
    return host({ hostId: `i-${n}`, zone: `us-east-1${'abc'[n % 3]}`, capacity: HOST_16, left, claims });
  });
}

export function tasks(
  count: number,
  sizes: readonly Resources[],
  over: (n: number) => Partial<TaskSpec> = () => ({}),
): Task[] {
  const random = seeded(count + 1);
  return Array.from({ length: count }, (_, n) =>
    task(`t${n}`, { demand: pick(random, sizes), ...over(n) }, { acceptedAt: n }),
  );
}

/** The generic mix: vCPU from {.1, .25, .5, 1, 1.5}, MiB from {100, 256, 512, 1024, 2048, 4096}. */
export function genericDemands(count: number, seed: number): Resources[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => ({
    cpu: Math.ceil(pick(random, [0.1, 0.25, 0.5, 1, 1.5]) * 1024),
    memory: pick(random, [100, 256, 512, 1024, 2048, 4096]),
  }));
}

/** 500 of 0.9 vCPU and 3,100 MiB, 500 of 3.5 vCPU and 28 GiB. */
export const twoSizes = (): Resources[] => [
  ...new Array<Resources>(500).fill({ cpu: Math.ceil(0.9 * 1024), memory: 3100 }),
  ...new Array<Resources>(500).fill({ cpu: 3584, memory: 28_672 }),
];
