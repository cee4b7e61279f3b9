import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

/** Scores stay below this, so that a count weighed by it always comes first. */
export const SCORE_CEILING = 1e4;

/**
 * Weighs the squared imbalance: small ones, which single tasks cause, are tolerated, so that few tasks stay on few hosts;
 * large ones open another host. 12 was best of 3..30 at 2,000 hosts and at 5 (`npm run bench`, hosts used).
 */
const STRANDING_WEIGHT = 12;
/** A task without need of a GPU goes to a host with GPUs last. */
const SCARCE_WEIGHT = 2;

/** What a row is worth to a class, least best; infinite when it has no room. */
export type Score = (row: number) => number;

const NO_ROOM = Number.POSITIVE_INFINITY;

/**
 * What is left of a host after the task, as a mean share of its capacity, plus how far its use is out of balance. Balanced
 * is not "as much processor as memory" but the mix that all tasks ask for: a host that keeps to it runs out of everything
 * at once and strands nothing. Least is best.
 */
export function packingScore(table: HostTable, cls: TaskClass): Score {
  const { left, inverse, penalty, dimensions } = table;
  const balance = table.balance();
  const width = dimensions.length;
  const take = new Float64Array(width);
  cls.dimensions.forEach((d, i) => {
    take[d] = cls.amounts[i] as number;
  });
  if (width === 2 && cls.dimensions.length === 2) {
    const [first, second] = [take[0] as number, take[1] as number];
    return (row) => {
      const at = 2 * row;
      const restA = (left[at] as number) - first;
      const restB = (left[at + 1] as number) - second;
      if (restA < 0 || restB < 0) return NO_ROOM;
      const a = restA * (inverse[at] as number);
      const b = restB * (inverse[at + 1] as number);
      const off = (1 - a) * (balance[at] as number) - (1 - b) * (balance[at + 1] as number);
      return (
        (a + b) / 2 + STRANDING_WEIGHT * off * off + (penalty === undefined ? 0 : (penalty[row] as number))
      );
    };
  }
  const gpu = (cls.spec.demand.gpu ?? 0) > 0 ? -1 : dimensions.indexOf('gpu');
  return (row) => {
    if (!table.hasRoom(row, cls)) return NO_ROOM;
    let sum = 0;
    let most = Number.NEGATIVE_INFINITY;
    let least = Number.POSITIVE_INFINITY;
    let counted = 0;
    let scarce = 0;
    for (let d = 0; d < width; d += 1) {
      const at = row * width + d;
      const scale = inverse[at] as number;
      if (scale === 0) continue;
      if (d === gpu) scarce = SCARCE_WEIGHT;
      const share = ((left[at] as number) - (take[d] as number)) * scale;
      const use = (1 - share) * (balance[at] as number);
      sum += share;
      if (use > most) most = use;
      if (use < least) least = use;
      counted += 1;
    }
    if (counted === 0) return penalty?.[row] ?? 0;
    const off = most - least;
    return (
      sum / counted +
      STRANDING_WEIGHT * off * off +
      scarce +
      (penalty === undefined ? 0 : (penalty[row] as number))
    );
  };
}

/** What is left of one dimension after the task: ECS's binpack by `cpu` or `memory`. */
export function fieldScore(table: HostTable, cls: TaskClass, field: string): Score {
  const d = table.dimensions.indexOf(field);
  if (d < 0) return packingScore(table, cls);
  const width = table.dimensions.length;
  const i = cls.dimensions.indexOf(d);
  const take = i < 0 ? 0 : (cls.amounts[i] as number);
  // The scale keeps the amount below the ceiling on any host that exists.
  return (row) => {
    if (!table.hasRoom(row, cls)) return NO_ROOM;
    return ((table.left[row * width + d] as number) - take) / 65_536 + (table.penalty?.[row] ?? 0);
  };
}

/** A seeded permutation of the hosts stands for chance, so that a pass can be repeated. */
export function randomScore(table: HostTable, cls: TaskClass, seed: string): Score {
  return (row) => {
    if (!table.hasRoom(row, cls)) return NO_ROOM;
    const share = hashShare(`${seed}|${table.hosts[row]?.hostId ?? ''}|${table.log.length}`);
    return share + (table.penalty?.[row] ?? 0);
  };
}

/** FNV-1a with a final mix, as a share of its range. */
function hashShare(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}
