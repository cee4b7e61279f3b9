import type { Wakes } from '../ports/bus.ts';
import type { World } from './world.ts';

export type ObserveWorld = Pick<World, 'store' | 'containers' | 'clock' | 'log' | 'metrics'> & {
  readonly bus: Wakes;
};

/** What an observation changed: `freed` says that capacity or a queued attempt makes another pass worth while. */
export type Observation = 'ignored' | 'recorded' | 'freed';
