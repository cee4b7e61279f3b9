import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

/** Scores stay below this, so that a count weighed by it always comes first. */
export const SCORE_CEILING = 1e4;

/** Above it a host is taken only when no other holds the task. */
const PRESSURE_WEIGHT = 4;
const STRANDING_WEIGHT = 0.5;

/**
 * What is left of a host after the task, as a mean share of its capacity, plus how unevenly: a host left with processor
 * and no memory is worth nothing to the next task. Least is best.
 */
export function packingScore(table: HostTable, row: number, cls: TaskClass): number {
  const width = table.dimensions.length;
  const base = row * width;
  let sum = 0;
  let most = 0;
  let least = 1;
  let counted = 0;
  for (let d = 0; d < width; d += 1) {
    const capacity = table.capacity[base + d] as number;
    if (capacity === 0) continue;
    let left = table.left[base + d] as number;
    for (let i = 0; i < cls.dimensions.length; i += 1) {
      if (cls.dimensions[i] === d) left -= cls.amounts[i] as number;
    }
    const share = left / capacity;
    sum += share;
    if (share > most) most = share;
    if (share < least) least = share;
    counted += 1;
  }
  const mean = counted === 0 ? 0 : sum / counted;
  return mean + STRANDING_WEIGHT * Math.max(0, most - least) + pressureOf(table, row);
}

function pressureOf(table: HostTable, row: number): number {
  const pressure = table.hosts[row]?.pressure;
  if (pressure === undefined) return 0;
  return PRESSURE_WEIGHT * Math.max(pressure.cpu, pressure.memory, pressure.io);
}

/** Share of one dimension left after the task: ECS's binpack by `cpu` or `memory`. */
export function fieldScore(table: HostTable, row: number, cls: TaskClass, field: string): number {
  const d = table.dimensions.indexOf(field);
  if (d < 0) return packingScore(table, row, cls);
  const i = cls.dimensions.indexOf(d);
  const left =
    (table.left[row * table.dimensions.length + d] as number) - (i < 0 ? 0 : (cls.amounts[i] as number));
  // Least available amount, as ECS has it; the shift keeps it below the ceiling for any host that exists.
  return left / 65_536 + pressureOf(table, row);
}

/** FNV-1a. A seeded permutation of the hosts stands for chance, so that a pass can be repeated. */
export function seededScore(seed: string, hostId: string, round: number): number {
  let hash = 0x811c9dc5;
  for (const text of [seed, hostId, String(round)]) {
    for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}
