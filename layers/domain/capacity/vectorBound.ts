import { type Column, CoverLp } from './coverLp.ts';
import type { FleetItem, FleetOffer } from './fleet.ts';

export interface VectorBound {
  /** No fleet that holds the total costs less. */
  readonly price: number;
  /** What a unit of each dimension costs in the cheapest mix. */
  readonly prices: Float64Array;
}

/** Total demand by dimension. */
export function totalDemand(items: readonly FleetItem[], dimensions: number): Float64Array {
  const total = new Float64Array(dimensions);
  for (const { demand, count } of items) {
    for (let d = 0; d < dimensions; d += 1) total[d] = (total[d] as number) + count * (demand[d] as number);
  }
  return total;
}

/**
 * Least cost of fractional hosts whose summed capacity covers the total, dimension by dimension: the linear-programming
 * bound that does not know that tasks are indivisible. Dimensions nobody asks for cost nothing.
 */
export function vectorBound(total: Float64Array, offers: readonly FleetOffer[]): VectorBound {
  const rows = [...total.keys()].filter((d) => (total[d] as number) > 0);
  const prices = new Float64Array(total.length);
  const columns: Column[] = offers.map((offer) => ({
    covers: Float64Array.from(rows, (d) => offer.capacity[d] as number),
    cost: offer.price,
  }));
  // Costlier than any real host, so that the optimum uses none of these while some offer has the dimension.
  const dear = 1e6 * (1 + Math.max(0, ...offers.map(({ price }) => price)));
  const start = rows.map((d, r) => {
    const covers = new Float64Array(rows.length);
    covers[r] = total[d] as number;
    return { covers, cost: dear };
  });
  const lp = new CoverLp(
    start,
    Float64Array.from(rows, (d) => total[d] as number),
  );
  for (let round = 0; round < 50 * (rows.length + 1); round += 1) {
    lp.relax();
    const best = bestColumn(lp, columns);
    if (best === undefined || !lp.enter(best)) break;
  }
  lp.relax();
  rows.forEach((d, r) => {
    prices[d] = Math.max(0, lp.prices[r] as number);
  });
  return { price: lp.cost, prices };
}

function bestColumn(lp: CoverLp, columns: readonly Column[]): Column | undefined {
  let best: Column | undefined;
  let most = 1e-9;
  for (const column of columns) {
    const gain = lp.gain(column) / Math.max(column.cost, 1e-9);
    if (gain > most) {
      most = gain;
      best = column;
    }
  }
  return best;
}
