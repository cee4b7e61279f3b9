import type { Claim } from '../model/host.ts';
import { amountOf } from '../model/resources.ts';
import { canShareGpus, type GpuShare, giveBackGpus, gpuUse } from './gpu.ts';
import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

/** A claim that may be given up, with what that sets free in the table's dimensions. */
export interface Victim {
  readonly claim: Claim;
  readonly frees: Float64Array;
  readonly gpus: readonly GpuShare[];
}

export interface VictimSet {
  readonly victims: readonly Victim[];
  /** Least is best: the highest priority disturbed, then how many tasks, then how much work is lost. */
  readonly cost: number;
}

/** Weighs one step of priority above any number of tasks, and one task above any work lost. */
const PRIORITY_STEP = 1e4;
const TASK_STEP = 10;
const DAY_MS = 86_400_000;

/** Claims of a host that may be stopped and moved, cheapest to disturb first: what stops already costs nothing. */
export function victimsOn(table: HostTable, row: number): Victim[] {
  const host = table.hosts[row];
  // What stopping them sets free there is not what they ask, on which the choice would rest.
  if (host === undefined || host.cpuOvercommit !== undefined) return [];
  const claims = Object.values(host.claims).filter(
    ({ interruptible, stopping, heir }) => heir === undefined && (interruptible || stopping === true),
  );
  claims.sort(
    (a, b) =>
      Number(b.stopping === true) - Number(a.stopping === true) ||
      a.priority - b.priority ||
      b.claimedAt - a.claimedAt ||
      (a.taskId < b.taskId ? -1 : 1),
  );
  const held = table.dimensions.includes('gpu') ? gpuUse(host).held : undefined;
  return claims.map((claim) => ({
    claim,
    frees: Float64Array.from(table.dimensions, (dimension) => amountOf(claim.demand, dimension)),
    gpus: held?.get(claim.taskId) ?? [],
  }));
}

/**
 * The cheapest claims, all of lower priority than `priority`, without which the class has room on the row; undefined when
 * there are none. First the cheapest single claim that is enough, else claims in order of cost, less those that turn out not
 * to be needed.
 */
export function cheapestVictims(
  table: HostTable,
  row: number,
  cls: TaskClass,
  priority: number,
  candidates: readonly Victim[],
  nowMs: number,
): VictimSet | undefined {
  if (suffices(table, row, cls, [])) return undefined;
  const chosen: Victim[] = [];
  for (const victim of candidates) {
    if (victim.claim.priority >= priority && victim.claim.stopping !== true) break;
    if (suffices(table, row, cls, [victim])) return setOf([victim], nowMs);
    chosen.push(victim);
  }
  if (!suffices(table, row, cls, chosen)) return undefined;
  let enough = 1;
  while (!suffices(table, row, cls, chosen.slice(0, enough))) enough += 1;
  const needed = chosen.slice(0, enough);
  for (let n = needed.length - 2; n >= 0; n -= 1) {
    const without = needed.toSpliced(n, 1);
    if (suffices(table, row, cls, without)) needed.splice(n, 1);
  }
  return setOf(needed, nowMs);
}

function suffices(table: HostTable, row: number, cls: TaskClass, victims: readonly Victim[]): boolean {
  for (let i = 0; i < cls.dimensions.length; i += 1) {
    let lack = table.lack(row, cls, i);
    for (const { frees } of victims) {
      if (lack <= 0) break;
      lack -= frees[cls.dimensions[i] as number] as number;
    }
    if (lack > 0) return false;
  }
  const gpu = amountOf(cls.spec.demand, 'gpu');
  if (gpu === 0) return true;
  const free = [...table.gpusOf(row)];
  for (const { gpus } of victims) giveBackGpus(free, gpus);
  return canShareGpus(free, gpu);
}

function setOf(victims: readonly Victim[], nowMs: number): VictimSet {
  let highest = -1000;
  let lostMs = 0;
  const disturbed = victims.filter(({ claim }) => claim.stopping !== true);
  for (const { claim } of disturbed) {
    highest = Math.max(highest, claim.priority);
    lostMs += Math.max(0, nowMs - claim.claimedAt);
  }
  const lost = Math.min(1, lostMs / DAY_MS);
  return { victims, cost: (highest + 1000) * PRIORITY_STEP + disturbed.length * TASK_STEP + lost };
}
