import type { Task } from '../model/task.ts';
import { WHOLE_GPU } from '../placement/gpu.ts';
import { type DemandGroup, newHostRefusals, tokensOf } from './demandGroups.ts';
import type { FleetItem, FleetOffer } from './fleet.ts';
import type { LearnedAttributes } from './learned.ts';
import type { PoolOffer } from './offers.ts';

/** Demand that hosts can be bought for, as the numbers a fleet solver works on. */
export interface Problem {
  readonly dimensions: readonly string[];
  readonly groups: readonly DemandGroup[];
  readonly items: readonly FleetItem[];
  readonly offers: readonly PoolOffer[];
  readonly fleetOffers: readonly FleetOffer[];
}

export interface Refused {
  readonly group: DemandGroup;
  /** Offers refused, by reason. */
  readonly refusals: ReadonlyMap<string, number>;
}

export function problemOf(
  groups: readonly DemandGroup[],
  offers: readonly PoolOffer[],
  learned: LearnedAttributes,
): { readonly problem: Problem; readonly refused: readonly Refused[] } {
  const refused: Refused[] = [];
  const held: DemandGroup[] = [];
  const masks: Uint8Array[] = [];
  for (const group of groups) {
    const { allowed, refusals, any } = askOffers(group, offers, learned);
    if (!any) {
      refused.push({ group, refusals });
      continue;
    }
    held.push(group);
    masks.push(allowed);
  }
  const dimensions = [...new Set(held.flatMap(({ spec }) => Object.keys(spec.demand)))];
  const items = held.map(({ spec, tasks }, at) => ({
    demand: Float64Array.from(dimensions, (dimension) => spec.demand[dimension] ?? 0),
    count: tasks.length,
    gpu: spec.demand.gpu ?? 0,
    tokens: tokensOf(spec),
    allowed: masks[at] ?? new Uint8Array(offers.length),
  }));
  const fleetOffers = offers.map(({ type, price }) => ({
    capacity: Float64Array.from(dimensions, (dimension) => type.capacity[dimension] ?? 0),
    price,
    gpus: Math.floor((type.capacity.gpu ?? 0) / WHOLE_GPU),
  }));
  return { problem: { dimensions, groups: held, items, offers, fleetOffers }, refused };
}

function askOffers(
  group: DemandGroup,
  offers: readonly PoolOffer[],
  learned: LearnedAttributes,
): { allowed: Uint8Array; refusals: Map<string, number>; any: boolean } {
  const refusals = new Map<string, number>();
  const allowed = new Uint8Array(offers.length);
  let any = false;
  offers.forEach((offer, at) => {
    const reasons = newHostRefusals(group, offer, learned.get(offer.pool.name) ?? {});
    if (reasons.length === 0) {
      allowed[at] = 1;
      any = true;
    }
    for (const reason of reasons) refusals.set(reason, (refusals.get(reason) ?? 0) + 1);
  });
  return { allowed, refusals, any };
}

export interface HeldBack {
  readonly tasks: readonly Task[];
  readonly detail: string;
}
