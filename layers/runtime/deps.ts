import type { Announcements, Bus, Wakes } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Containers } from '../ports/containers.ts';
import type { DeadLetters } from '../ports/deadLetters.ts';
import type { Ids } from '../ports/ids.ts';
import type { Machines } from '../ports/machines.ts';
import type { Store } from '../ports/store.ts';
import { randomIds } from './ids.ts';
import { createLog, type Log } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import {
  type Environment,
  processEnvironment,
  type ResourceSetting,
  readSettings,
  requireSettings,
  type Settings,
} from './settings.ts';

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
  readonly deadLetters: DeadLetters;
}

type Port = Exclude<keyof Deps, keyof BaseDeps>;

/** How one port is made: `compose/*.ts` holds one each, so that a bundle carries only the SDK clients it uses. */
export interface Need<T> {
  readonly requires: readonly ResourceSetting[];
  create(base: BaseDeps): T;
}

export type Needs = { readonly [P in Exclude<Port, 'bus' | 'containers'>]?: Need<Deps[P]> } & {
  readonly containers?: Need<Partial<Containers>>;
  readonly bus?: Need<Bus> | Need<Announcements> | Need<Wakes>;
};

type Provided<N extends Needs> = BaseDeps & {
  readonly [P in Extract<keyof N, Port>]: N[P] extends Need<infer T> ? T : never;
};

export function createBaseDeps(environment: Environment): BaseDeps {
  const settings = readSettings(environment);
  return {
    settings,
    clock: { now: () => Date.now() },
    ids: randomIds,
    log: createLog({ service: settings.service, level: settings.logLevel }),
    metrics: createMetrics({ service: settings.service }),
  };
}

/**
 * A function's dependencies: `createDeps({ store: storeNeed, bus: busNeed })`. Settings are checked here, when the
 * function starts; a client is made when it is first used.
 * @throws SettingsError
 */
export function createDeps<N extends Needs>(
  needs: N,
  environment: Environment = processEnvironment(),
): Provided<N> {
  const deps = createBaseDeps(environment);
  const required = Object.values(needs as Readonly<Record<string, Need<unknown>>>).flatMap(
    ({ requires }) => requires,
  );
  requireSettings(deps.settings, [...new Set(required)]);
  for (const [port, need] of Object.entries(needs as Readonly<Record<string, Need<unknown>>>)) {
    let made: unknown;
    Object.defineProperty(deps, port, {
      enumerable: true,
      get: () => {
        made ??= need.create(deps);
        return made;
      },
    });
  }
  return deps as Provided<N>;
}
