import type { ArrivalStore } from '../../layers/ports/store.ts';
import { arrivalOrder } from '../../layers/store/keys.ts';
import { inner, type MemoryTables } from './memoryTables.ts';

export function arrivalCommands({ arrivals, clusters }: MemoryTables): ArrivalStore {
  return {
    async noteArrivals(arrival) {
      inner(arrivals, arrival.cluster).set(arrivalOrder(arrival), arrival);
    },
    async listArrivals(cluster, { afterMs, untilMs }, limit) {
      const found = [...inner(arrivals, cluster)]
        .filter(([, { at }]) => at > afterMs && at <= untilMs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, arrival]) => arrival);
      return { arrivals: found.slice(0, limit), more: found.length > limit };
    },
    async recordArrivalsSeen(cluster, untilMs) {
      const meta = clusters.get(cluster);
      if (meta === undefined || (meta.arrivalsSeenAt ?? -1) >= untilMs) return { outcome: 'refused' };
      clusters.set(cluster, { ...meta, arrivalsSeenAt: untilMs });
      return { outcome: 'applied' };
    },
  };
}
