import type { Bus } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Containers } from '../ports/containers.ts';
import type { Ids } from '../ports/ids.ts';
import type { Machines } from '../ports/machines.ts';
import type { Store } from '../ports/store.ts';
import type { Log } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Settings } from './settings.ts';

/** What every function has. */
export interface BaseDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: Settings;
}

/** All a function may ask for; one that needs less says so: `Pick<Deps, 'store' | 'bus' | 'log'>`. */
export interface Deps extends BaseDeps {
  readonly store: Store;
  readonly containers: Containers;
  readonly machines: Machines;
  readonly bus: Bus;
}
