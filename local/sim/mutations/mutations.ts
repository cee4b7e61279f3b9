import { claimsMutations } from './claims.ts';
import { launchesMutations } from './launches.ts';
import { livesMutations } from './lives.ts';
import type { Mutation } from './mutation.ts';

/** Every planted error; each has to be found. */
export const mutations: readonly Mutation[] = [...claimsMutations, ...launchesMutations, ...livesMutations];
