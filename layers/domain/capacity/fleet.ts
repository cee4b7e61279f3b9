/** A kind of host that can be bought. Vectors of one problem share their dimensions. */
export interface FleetOffer {
  readonly capacity: Float64Array;
  /** Cost an hour of one host, risk included. */
  readonly price: number;
  /** GPUs, each to be shared by fractions; their sum is a dimension besides. */
  readonly gpus: number;
}

/** `count` tasks alike. */
export interface FleetItem {
  readonly demand: Float64Array;
  readonly count: number;
  /** Thousandths of a GPU. */
  readonly gpu: number;
  /** Tasks that share a token share no host: a fixed port, a group that wants distinct hosts. */
  readonly tokens: readonly string[];
  /** Offers, by position, whose hosts may take the item; room is checked besides. */
  readonly allowed: Uint8Array;
}

/** Hosts bought alike: `count` hosts of the offer, each with `load[i]` tasks of item i. */
export interface FleetHosts {
  readonly offer: number;
  readonly count: number;
  readonly load: Int32Array;
}

export interface Fleet {
  readonly hosts: readonly FleetHosts[];
  /** Tasks by item that no offer can hold. */
  readonly unheld: Int32Array;
  readonly price: number;
}

export const fleetPrice = (offers: readonly FleetOffer[], hosts: readonly FleetHosts[]): number =>
  hosts.reduce((sum, { offer, count }) => sum + count * (offers[offer]?.price ?? 0), 0);

export function holds(capacity: Float64Array, demand: Float64Array): boolean {
  for (let d = 0; d < demand.length; d += 1) {
    if ((demand[d] as number) > (capacity[d] as number)) return false;
  }
  return true;
}
