import type { Wakes } from '../ports/bus.ts';
import type { Clock } from '../ports/clock.ts';
import type { Containers } from '../ports/containers.ts';
import type { Ids } from '../ports/ids.ts';
import type { Machines } from '../ports/machines.ts';
import type { Store } from '../ports/store.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The part of logging and metrics that use cases need; the runtime's own types satisfy it. */
export interface Telemetry {
  readonly log: {
    info(message: string, fields?: Fields): void;
    warn(message: string, fields?: Fields): void;
    error(message: string, fields?: Fields): void;
  };
  readonly metrics: {
    count(name: string, value?: number, dimensions?: Readonly<Record<string, string>>): void;
    sample(
      name: string,
      value: number,
      unit: 'Count' | 'Milliseconds' | 'Seconds',
      dimensions?: Readonly<Record<string, string>>,
    ): void;
  };
}

/** Every port and the telemetry; announcements are made from the table's stream, by `publish`. A use case takes the part it needs: `Pick<World, 'store' | 'bus'>`. */
export interface World extends Telemetry {
  readonly store: Store;
  readonly containers: Containers;
  readonly machines: Machines;
  readonly bus: Wakes;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What a scheduling pass needs of it. */
export type PassWorld = Pick<World, 'store' | 'containers' | 'clock' | 'log' | 'metrics' | 'bus'>;
