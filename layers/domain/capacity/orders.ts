import type { Host } from '../model/host.ts';
import type { NewOrder } from '../model/plan.ts';
import type { CapacityOffer } from '../model/pool.ts';
import { fitsInto, type Resources } from '../model/resources.ts';
import type { PoolOffer } from './offers.ts';

/** Hosts to buy: one kind, in one zone or in whichever zone of the offer suits. */
export interface Purchase {
  readonly offer: PoolOffer;
  readonly count: number;
  /** What each host has to hold. */
  readonly load: Resources;
  readonly zone: string | undefined;
  /** Offers that every task meant for the host may run on. */
  readonly alternatives: readonly PoolOffer[];
  readonly why: string;
}

/** EC2 takes 300 overrides a request; beyond these few a fallback is no longer close in price. */
const MAX_TYPES_PER_ORDER = 12;
/** A fallback dearer than this is bought only when the planner, knowing what is out, asks for it. */
const MAX_FALLBACK_FACTOR = 1.5;

/** Turns purchases into orders whose offers EC2 may fall back along, spread over the pools' zones. */
export function ordersFor(purchases: readonly Purchase[], hosts: readonly Host[]): NewOrder[] {
  const perZone = new Map<string, number>();
  for (const host of hosts) {
    if (host.state !== 'TERMINATING') perZone.set(host.zone, (perZone.get(host.zone) ?? 0) + 1);
  }
  return mergeAlike(purchases).flatMap((purchase) => splitOverZones(purchase, perZone));
}

/** Hosts that differ only in their load become one purchase that holds the larger of each dimension. */
function mergeAlike(purchases: readonly Purchase[]): Purchase[] {
  const merged = new Map<PoolOffer, Map<string, Purchase>>();
  for (const purchase of purchases) {
    const byZone = merged.get(purchase.offer) ?? new Map<string, Purchase>();
    merged.set(purchase.offer, byZone);
    const key = purchase.zone ?? '';
    const known = byZone.get(key);
    if (known === undefined) byZone.set(key, purchase);
    else {
      const open = new Set(purchase.alternatives);
      byZone.set(key, {
        ...known,
        count: known.count + purchase.count,
        load: larger(known.load, purchase.load),
        alternatives: known.alternatives.filter((offer) => open.has(offer)),
      });
    }
  }
  return [...merged.values()].flatMap((byZone) => [...byZone.values()]);
}

function larger(a: Resources, b: Resources): Resources {
  const result: Record<string, number> = { ...a };
  for (const [dimension, amount] of Object.entries(b)) {
    result[dimension] = Math.max(result[dimension] ?? 0, amount);
  }
  return result;
}

function splitOverZones(purchase: Purchase, perZone: Map<string, number>): NewOrder[] {
  const zones = purchase.zone === undefined ? purchase.offer.zones : [purchase.zone];
  const shares = new Map<string, number>();
  for (let n = 0; n < purchase.count; n += 1) {
    const zone = zones.reduce((least, each) =>
      (perZone.get(each) ?? 0) < (perZone.get(least) ?? 0) ? each : least,
    );
    shares.set(zone, (shares.get(zone) ?? 0) + 1);
    perZone.set(zone, (perZone.get(zone) ?? 0) + 1);
  }
  return [...shares].map(([zone, hosts]) => ({
    pool: purchase.offer.pool.name,
    lifecycle: purchase.offer.lifecycle,
    hosts,
    offers: fallbacks(purchase, zone),
    reason: `${hosts} x ${purchase.offer.type.name} ${purchase.offer.lifecycle}: ${purchase.why}`,
  }));
}

/** The chosen type first in the zone wanted, then everything interchangeable with it, cheapest first. */
function fallbacks({ offer, load, zone, alternatives }: Purchase, wanted: string): CapacityOffer[] {
  const types = alternatives
    .filter(
      (each) =>
        each !== offer &&
        each.pool === offer.pool &&
        each.lifecycle === offer.lifecycle &&
        each.usdPerHour <= offer.usdPerHour * MAX_FALLBACK_FACTOR &&
        fitsInto(load, each.type.capacity),
    )
    .sort((a, b) => a.usdPerHour - b.usdPerHour || (a.type.name < b.type.name ? -1 : 1));
  const chosen = [offer, ...types].slice(0, MAX_TYPES_PER_ORDER);
  const all = chosen.flatMap((each) =>
    [...each.zones]
      .filter((each) => zone === undefined || each === zone)
      .sort((a, b) => Number(b === wanted) - Number(a === wanted) || (a < b ? -1 : 1))
      .map((inZone) => toOffer(each, inZone)),
  );
  return all.sort((a, b) => a.usdPerHour - b.usdPerHour);
}

const toOffer = ({ pool, type, usdPerHour }: PoolOffer, zone: string): CapacityOffer => ({
  instanceType: type.name,
  zone,
  subnet: pool.subnets[zone] ?? '',
  usdPerHour,
  capacity: type.capacity,
  architecture: type.architecture,
});
