import type { Host } from '../model/host.ts';
import type { WaitExplanation } from '../model/reason.ts';
import type { Resources } from '../model/resources.ts';
import { Admission } from './admission.ts';
import type { HostTable } from './hostTable.ts';
import type { TaskClass } from './taskClass.ts';

export type Findings = Omit<WaitExplanation, 'next'>;

/** A refusal that no room can mend is further away than any lack. */
const RULE_DISTANCE = 1e6;

/**
 * Why no host takes the class, over every host: each refusal counted, and the host that came nearest. Nearest is the one
 * with the fewest things against it that are not room, then the least missing as a share of what is asked.
 */
export function explain(table: HostTable, cls: TaskClass): Findings {
  const admission = new Admission(table, cls);
  const counts = new Map<string, number>();
  const count = (reason: string): void => {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  };
  const lacking = new Int32Array(cls.dimensions.length);
  let nearest = Number.POSITIVE_INFINITY;
  let closestRow = -1;
  let considered = 0;
  for (let row = 0; row < table.hosts.length; row += 1) {
    const host = table.hosts[row] as Host;
    // What is only ordered has no id that anyone could look up.
    if (isOnOrder(host) || host.state === 'TERMINATING') continue;
    considered += 1;
    let distance = 0;
    if (host.state !== 'READY') {
      count(`state ${host.state}`);
      distance = RULE_DISTANCE;
    } else {
      const rules = admission.ruleRefusals(row);
      for (const reason of rules) count(reason);
      distance = rules.length * RULE_DISTANCE;
    }
    const otherPool = distance > 0 && !admission.ofPool(row);
    for (let i = 0; i < lacking.length; i += 1) {
      const lack = table.lack(row, cls, i);
      if (lack <= 0) continue;
      distance += lack / (cls.amounts[i] as number);
      if (host.state === 'READY' && !otherPool) lacking[i] = (lacking[i] as number) + 1;
    }
    if (distance > 0 && distance < nearest) {
      nearest = distance;
      closestRow = row;
    }
  }
  lacking.forEach((hosts, i) => {
    if (hosts > 0)
      counts.set(table.dimensionOf(cls, i), (counts.get(table.dimensionOf(cls, i)) ?? 0) + hosts);
  });
  const refusals = Object.fromEntries(counts);
  const closest = closestRow < 0 ? undefined : closestOf(table, cls, admission, closestRow);
  return { hostsConsidered: considered, refusals, ...(closest === undefined ? {} : { closest }) };
}

export const isOnOrder = (host: Host): boolean =>
  host.orderId !== undefined && host.hostId.startsWith(`${host.orderId}/`);

function closestOf(
  table: HostTable,
  cls: TaskClass,
  admission: Admission,
  row: number,
): WaitExplanation['closest'] {
  const host = table.hosts[row] as Host;
  const lacks: Record<string, number> = {};
  cls.dimensions.forEach((_, i) => {
    const lack = table.lack(row, cls, i);
    if (lack > 0) lacks[table.dimensionOf(cls, i)] = lack;
  });
  const reasons = host.state === 'READY' ? admission.refusals(row) : [`state ${host.state}`];
  return { hostId: host.hostId, lacks: lacks satisfies Resources, refusal: reasons.join(', ') };
}
