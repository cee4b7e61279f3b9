import type { Host } from '../model/host.ts';
import type { WaitExplanation } from '../model/reason.ts';
import { amountOf, type Resources } from '../model/resources.ts';
import { Admission } from './admission.ts';
import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

type Findings = Omit<WaitExplanation, 'next'>;

/**
 * Why no host takes the class, over every host: each refusal counted, and the host that came nearest. Nearest is the one
 * with the fewest things against it that are not room, then the least missing as a share of what is asked.
 */
export function explain(table: HostTable, cls: TaskClass): Findings {
  const admission = new Admission(table, cls);
  const refusals: Record<string, number> = {};
  let closest: WaitExplanation['closest'];
  let nearest = Number.POSITIVE_INFINITY;
  let considered = 0;
  table.hosts.forEach((host, row) => {
    // What is only ordered has no id that anyone could look up.
    if (isOnOrder(host)) return;
    considered += 1;
    const reasons = host.state === 'READY' ? admission.refusals(row) : [`state ${host.state}`];
    for (const reason of reasons) refusals[reason] = (refusals[reason] ?? 0) + 1;
    const lacks = lackOf(table, row, cls);
    const distance = distanceOf(cls, lacks, reasons);
    if (reasons.length === 0 || distance >= nearest) return;
    nearest = distance;
    closest = { hostId: host.hostId, lacks, refusal: reasons.join(', ') };
  });
  return { hostsConsidered: considered, refusals, ...(closest === undefined ? {} : { closest }) };
}

export const isOnOrder = (host: Host): boolean =>
  host.orderId !== undefined && host.hostId.startsWith(`${host.orderId}/`);

function lackOf(table: HostTable, row: number, cls: TaskClass): Resources {
  const lacks: Record<string, number> = {};
  cls.dimensions.forEach((dimension, i) => {
    const left = table.left[row * table.dimensions.length + dimension] as number;
    const lack = (cls.amounts[i] as number) - left;
    if (lack > 0) lacks[table.dimensions[dimension] ?? ''] = lack;
  });
  return lacks;
}

function distanceOf(cls: TaskClass, lacks: Resources, reasons: readonly string[]): number {
  let distance = 0;
  for (const [dimension, lack] of Object.entries(lacks)) {
    distance += lack / Math.max(1, amountOf(cls.spec.demand, dimension));
  }
  // A refusal that no room can mend is further away than any lack.
  const rules = reasons.filter((reason) => !(reason in cls.spec.demand));
  return distance + rules.length * 1e6;
}
