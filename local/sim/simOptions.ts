import type { SQSBatchResponse } from 'aws-lambda';
import type { Bus } from '../../layers/ports/bus.ts';
import type { Containers } from '../../layers/ports/containers.ts';
import type { Machines } from '../../layers/ports/machines.ts';
import type { Store } from '../../layers/ports/store.ts';
import type { FaultRates } from './faultRates.ts';
import type { MemoryTables } from './memoryTables.ts';
import type { SimPlan } from './plan.ts';

/** Stands between the handlers and a port: how a mutation of the protocol is planted. */
export interface PortDecorators {
  readonly store?: (store: Store, parts: StoreParts) => Store;
  readonly containers?: (containers: Containers) => Containers;
  readonly bus?: (bus: Bus) => Bus;
  readonly machines?: (machines: Machines) => Machines;
  /** What the queue hears of a batch. */
  readonly answer?: (response: SQSBatchResponse | undefined) => SQSBatchResponse | undefined;
}

export interface StoreParts {
  readonly tables: MemoryTables;
  readonly now: () => number;
}

export interface SimOptions {
  readonly seed: number;
  readonly plan: SimPlan;
  readonly rates: FaultRates;
  readonly traced?: boolean;
  /** Has `publish` announce every change, and checks what was announced. */
  readonly announced?: boolean;
  readonly decorators?: PortDecorators;
  /** The calls of all ports are numbered from 0; the process that makes this one dies there. */
  readonly crash?: { readonly point: number; readonly when: 'before' | 'after' };
}
