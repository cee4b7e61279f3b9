/** Uses of a dimension that is asked for this much less than another are not compared: the noise would decide. */
const MAX_BALANCE = 4;

/**
 * For each host and dimension the factor that makes used shares comparable: 1 where the mix of `demand` runs out first, and
 * the more the less is asked of the dimension. `capacityInverse` is 1 / capacity, by row and dimension.
 */
export function balanceOf(demand: Float64Array, capacityInverse: Float64Array): Float64Array {
  const width = demand.length;
  const balance = new Float64Array(capacityInverse.length);
  for (let base = 0; base < balance.length; base += width) {
    let most = 0;
    for (let d = 0; d < width; d += 1) {
      most = Math.max(most, (demand[d] as number) * (capacityInverse[base + d] as number));
    }
    for (let d = 0; d < width; d += 1) {
      const share = (demand[d] as number) * (capacityInverse[base + d] as number);
      balance[base + d] = share > 0 ? Math.min(MAX_BALANCE, most / share) : 0;
    }
  }
  return balance;
}
