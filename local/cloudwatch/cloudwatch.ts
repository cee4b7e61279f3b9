import type { Cancel } from '../engine/clock.ts';
import type { Deliverer, EngineContext, EventSink, Service } from '../engine/service.ts';
import type { Alarm, AlarmSpec } from './alarm.ts';
import { AlarmHistory } from './alarmHistory.ts';
import { alarmOperations } from './alarmOperations.ts';
import { Alarms } from './alarms.ts';
import { metricOperations } from './metricOperations.ts';
import type { Measurement, MetricRecorder } from './metricRecorder.ts';
import { type Datum, MetricStore } from './metricStore.ts';
import { Outbox } from './outbox.ts';

/** Measures something at regular times, as AWS does with its own services. */
export interface MetricProvider {
  measure(nowMs: number): readonly Measurement[];
}

export interface CloudWatchOptions {
  readonly events: EventSink;
  readonly deliverer: Deliverer;
  readonly providers?: readonly MetricProvider[];
  /** How often the providers are asked; 15 s when absent, where AWS itself takes a minute. */
  readonly providerIntervalMs?: number;
}

/** The CloudWatch engine: metrics and the alarms on them. */
export interface CloudWatch extends MetricRecorder {
  readonly service: Service;
  /** Creates an alarm or gives it new settings, as a template is applied again and again. */
  putAlarm(spec: AlarmSpec): Alarm;
  deleteAlarm(name: string): void;
  alarms(): readonly Alarm[];
  addProvider(provider: MetricProvider): void;
  /** Begins to evaluate alarms and to ask providers. */
  start(): void;
  stop(): void;
}

const PROVIDER_INTERVAL_MS = 15_000;

export function createCloudWatch(context: EngineContext, options: CloudWatchOptions): CloudWatch {
  const store = new MetricStore(context.clock);
  const history = new AlarmHistory(context.clock);
  const outbox = new Outbox(context, options.events, options.deliverer, history);
  const alarms = new Alarms(context, store, outbox, history);
  const providers = [...(options.providers ?? [])];
  let cancelTimer: Cancel | undefined;

  const record = (measurements: readonly Measurement[]): void =>
    alarms.dataArrived(new Set(measurements.map((measurement) => store.record(measurement))));
  const add = (data: readonly Datum[]): void =>
    alarms.dataArrived(new Set(data.map((datum) => store.add(datum))));
  const ask = (): void => {
    const nowMs = context.clock.now();
    record(providers.flatMap((provider) => provider.measure(nowMs)));
    cancelTimer = context.clock.after(options.providerIntervalMs ?? PROVIDER_INTERVAL_MS, ask);
  };

  return {
    service: {
      signingName: 'monitoring',
      operations: { ...metricOperations(store, add, context.clock), ...alarmOperations(alarms, history) },
    },
    record,
    putAlarm: (spec) => alarms.put(spec),
    deleteAlarm: (name) => alarms.delete([name]),
    alarms: () => alarms.all(),
    addProvider: (provider) => providers.push(provider),
    start() {
      outbox.resume();
      alarms.start();
      ask();
    },
    stop() {
      cancelTimer?.();
      alarms.stop();
    },
  };
}
