/**
 * A vector of resources by dimension; an absent dimension is zero. Units, all integers:
 * - `cpu`: ECS CPU units, 1024 to a vCPU
 * - `memory`: MiB
 * - `gpu`: thousandths of a GPU
 * - `eni`: task network interfaces (awsvpc)
 * - `custom:<name>`: whatever the user counts
 */
export type Resources = Readonly<Record<string, number>>;

export const noResources: Resources = {};

export const amountOf = (resources: Resources, dimension: string): number => resources[dimension] ?? 0;

const combine = (a: Resources, b: Resources, sign: 1 | -1): Resources => {
  const result: Record<string, number> = { ...a };
  for (const [dimension, amount] of Object.entries(b)) {
    result[dimension] = (result[dimension] ?? 0) + sign * amount;
  }
  return result;
};

export const plus = (a: Resources, b: Resources): Resources => combine(a, b, 1);
/** May go below zero: callers that must not overcommit check `fitsInto` first. */
export const minus = (a: Resources, b: Resources): Resources => combine(a, b, -1);

/** The dimensions of `demand` that exceed `left`, each with what is missing; empty when it fits. */
export function shortfall(demand: Resources, left: Resources): Resources {
  const missing: Record<string, number> = {};
  for (const [dimension, amount] of Object.entries(demand)) {
    const lack = amount - amountOf(left, dimension);
    if (amount > 0 && lack > 0) missing[dimension] = lack;
  }
  return missing;
}

export const fitsInto = (demand: Resources, left: Resources): boolean => {
  for (const dimension in demand) {
    const amount = demand[dimension] ?? 0;
    if (amount > 0 && amount > amountOf(left, dimension)) return false;
  }
  return true;
};
