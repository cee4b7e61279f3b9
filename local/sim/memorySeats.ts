import { attemptToken, parseAttemptToken } from '../../layers/domain/lifecycle/attemptToken.ts';
import type { SeatStore } from '../../layers/ports/store.ts';
import type { SeatGroup } from '../../layers/store/seats.ts';
import { inner, type MemoryTables } from './memoryTables.ts';

export function seatCommands({ seats }: MemoryTables): SeatStore {
  return {
    async listSeats(cluster, keys) {
      const taken = inner(seats, cluster);
      return new Map(
        [...new Set(keys)].flatMap((key) => {
          const refs = [...(taken.get(key) ?? [])].sort().flatMap((seat) => parseAttemptToken(seat) ?? []);
          return refs.length === 0 ? [] : [[key, refs] as const];
        }),
      );
    },
    async freeSeats(cluster, key, freed) {
      const taken = inner(seats, cluster).get(key);
      for (const seat of freed) taken?.delete(attemptToken(seat));
    },
  };
}

/** The keys of which a claim would take too many seats. */
export const fullGroups = (
  { seats }: MemoryTables,
  cluster: string,
  groups: readonly SeatGroup[],
): SeatGroup[] =>
  groups.filter(({ key, mostTaken }) => {
    const taken = inner(seats, cluster).get(key)?.size ?? 0;
    return taken > 0 ? taken > mostTaken : mostTaken < 0;
  });

export function sitDown({ seats }: MemoryTables, cluster: string, groups: readonly SeatGroup[]): void {
  for (const group of groups) {
    const taken = inner(seats, cluster).get(group.key) ?? new Set<string>();
    inner(seats, cluster).set(group.key, taken);
    for (const seat of group.seats) taken.add(seat);
  }
}
