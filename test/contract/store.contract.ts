import { describe } from 'vitest';
import { arraysAndDependenciesContract } from './store/arraysAndDependencies.ts';
import { arrivalsContract } from './store/arrivals.ts';
import { claimsContract } from './store/claims.ts';
import { clustersContract } from './store/clusters.ts';
import { hostsContract } from './store/hosts.ts';
import { tasksContract } from './store/tasks.ts';
import { type OpenStore, storeWorld } from './store/world.ts';

/** What every implementation of the store's port owes its callers. `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<OpenStore>): void {
  describe(`the store on ${name}`, () => {
    const world = storeWorld(open);
    tasksContract(world);
    arrivalsContract(world);
    arraysAndDependenciesContract(world);
    claimsContract(world);
    hostsContract(world);
    clustersContract(world);
  });
}
