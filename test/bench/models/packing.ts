import type { Host } from '../../../layers/domain/model/host.ts';
import type { InstanceType } from '../../../layers/domain/model/pool.ts';
import { fitsInto, minus, plus, type Resources } from '../../../layers/domain/model/resources.ts';

/** A host being packed by a model, real or planned. */
export interface Bin {
  readonly host?: Host;
  left: Resources;
}

export const cpuOf = (demand: Resources): number => demand.cpu ?? 0;
export const memoryOf = (demand: Resources): number => demand.memory ?? 0;

/** Processor first, then memory: the order Karpenter sorts pods in. */
export const largestFirst = <T extends { readonly demand: Resources }>(jobs: readonly T[]): T[] =>
  [...jobs].sort((a, b) => cpuOf(b.demand) - cpuOf(a.demand) || memoryOf(b.demand) - memoryOf(a.demand));

/** The first bin with room, taken. */
export function firstFit(bins: readonly Bin[], demand: Resources): Bin | undefined {
  const bin = bins.find(({ left }) => fitsInto(demand, left));
  if (bin !== undefined) bin.left = minus(bin.left, demand);
  return bin;
}

export const cheapestFor = (types: readonly InstanceType[], demand: Resources): InstanceType | undefined =>
  types
    .filter(({ capacity }) => fitsInto(demand, capacity))
    .reduce<InstanceType | undefined>(
      (best, type) => (best === undefined || type.usdPerHour < best.usdPerHour ? type : best),
      undefined,
    );

export const sumOf = (jobs: readonly { readonly demand: Resources }[]): Resources =>
  jobs.reduce((sum: Resources, { demand }) => plus(sum, demand), {});
