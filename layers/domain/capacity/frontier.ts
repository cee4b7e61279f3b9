import { type FleetItem, type FleetOffer, holds } from './fleet.ts';

/**
 * Offers worth looking at: an offer is dropped when another one holds at least as much of everything, is open to at least
 * the same items and costs no more. Of 1,345 EC2 types some 60 remain.
 */
export function frontier(offers: readonly FleetOffer[], items: readonly FleetItem[]): number[] {
  const usable = offers.map((_, at) => at).filter((at) => items.some((item) => item.allowed[at] === 1));
  usable.sort((a, b) => priceAt(a) - priceAt(b) || sizeAt(b) - sizeAt(a) || a - b);
  const kept: number[] = [];
  for (const at of usable) if (!kept.some((other) => dominates(other, at))) kept.push(at);
  return kept;

  function dominates(other: number, at: number): boolean {
    const [a, b] = [offers[other], offers[at]];
    if (a === undefined || b === undefined || !holds(a.capacity, b.capacity)) return false;
    return items.every((item) => item.allowed[at] !== 1 || item.allowed[other] === 1);
  }

  function priceAt(at: number): number {
    return offers[at]?.price ?? 0;
  }

  function sizeAt(at: number): number {
    return offers[at]?.capacity.reduce((sum, amount) => sum + amount, 0) ?? 0;
  }
}
