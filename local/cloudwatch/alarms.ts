import type { Cancel } from '../engine/clock.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { type Alarm, type AlarmSpec, type AlarmState, type AlarmStatus, checkAlarm } from './alarm.ts';
import type { AlarmHistory } from './alarmHistory.ts';
import { alarmEvent, lambdaActionPayload, snsMessage, type Transition } from './alarmMessages.ts';
import { type EvaluatedPeriod, reasonDataOf, reasonOf } from './alarmReason.ts';
import { breaches, canBreachEarly, decide, EXTRA_PERIODS, type Verdict } from './evaluation.ts';
import { type MetricStore, metricKey } from './metricStore.ts';
import type { NewLetter, Outbox } from './outbox.ts';
import { statisticOf } from './statistics.ts';

/** A period is looked at this long after its end, so that data on their way are in. */
const SETTLE_MS = 1_000;
const MAX_ALARMS = 5_000;

interface Looked {
  readonly periods: readonly EvaluatedPeriod[];
  readonly verdict: Verdict;
}

/**
 * The metric alarms and their evaluation.
 *
 * Periods slide by a minute (by the period where it is shorter), as in the service. An alarm is decided a second after
 * each such step by the periods that have ended. In addition, arriving data can raise it at once: the period still open
 * counts when its data breach already and more data cannot take that back for good (`canBreachEarly`). Only the end of a
 * period brings an alarm down.
 */
export class Alarms {
  readonly #context: EngineContext;
  readonly #metrics: MetricStore;
  readonly #outbox: Outbox;
  readonly #history: AlarmHistory;
  readonly #alarms: Collection<Alarm>;
  readonly #timers = new Map<string, Cancel>();
  readonly #touched = new Set<string>();
  #started = false;

  constructor(context: EngineContext, metrics: MetricStore, outbox: Outbox, history: AlarmHistory) {
    this.#context = context;
    this.#metrics = metrics;
    this.#outbox = outbox;
    this.#history = history;
    this.#alarms = context.state.collection<Alarm>('cloudwatch.alarms');
  }

  all(): Alarm[] {
    return [...this.#alarms.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  get(name: string): Alarm {
    const alarm = this.#alarms.get(name);
    if (!alarm) throw new ServiceError('ResourceNotFound', `Unable to find alarm with name ${name}`, 404);
    return alarm;
  }

  /** Creates an alarm, or gives one new settings and leaves it in its state. */
  put(spec: AlarmSpec): Alarm {
    checkAlarm(spec);
    const previous = this.#alarms.get(spec.name);
    if (!previous && this.#alarms.size >= MAX_ALARMS)
      throw new ServiceError('LimitExceeded', 'Too many alarms.');
    const nowMs = this.#context.clock.now();
    const initial: AlarmStatus = {
      value: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
      updatedMs: nowMs,
    };
    const alarm: Alarm = {
      ...spec,
      arn: `arn:aws:cloudwatch:${this.#context.region}:${this.#context.accountId}:alarm:${spec.name}`,
      datapointsToAlarm: spec.datapointsToAlarm ?? spec.evaluationPeriods,
      treatMissingData: spec.treatMissingData ?? 'missing',
      actionsEnabled: spec.actionsEnabled ?? true,
      configuredMs: nowMs,
      status: previous?.status ?? initial,
      transitionedMs: previous?.transitionedMs ?? nowMs,
    };
    this.#alarms.set(alarm.name, alarm);
    const what = previous ? `Alarm "${alarm.name}" updated` : `Alarm "${alarm.name}" created`;
    this.#history.add(alarm.name, 'ConfigurationUpdate', what);
    this.#schedule(alarm);
    this.#touch([alarm.name]);
    return alarm;
  }

  delete(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#alarms.delete(name)) continue;
      this.#timers.get(name)?.();
      this.#timers.delete(name);
      this.#history.add(name, 'ConfigurationUpdate', `Alarm "${name}" deleted`);
    }
  }

  enableActions(names: readonly string[], actionsEnabled: boolean): void {
    for (const name of names) {
      const alarm = this.#alarms.get(name);
      if (!alarm || alarm.actionsEnabled === actionsEnabled) continue;
      this.#alarms.set(name, { ...alarm, actionsEnabled, configuredMs: this.#context.clock.now() });
      this.#history.add(name, 'ConfigurationUpdate', `Alarm "${name}" updated`);
    }
  }

  /** Sets a state by hand; the next evaluation decides anew. */
  setState(name: string, value: AlarmState, reason: string, reasonData: string | undefined): void {
    const updatedMs = this.#context.clock.now();
    this.#become(this.get(name), { value, reason, updatedMs, ...(reasonData ? { reasonData } : {}) });
  }

  /** Data of these metrics (by key) have come in. */
  dataArrived(keys: ReadonlySet<string>): void {
    if (!this.#started) return;
    const names = [...this.#alarms.values()]
      .filter((alarm) => keys.has(metricKey(alarm.metric)))
      .map(({ name }) => name);
    if (names.length > 0) this.#touch(names);
  }

  start(): void {
    this.#started = true;
    for (const alarm of this.#alarms.values()) this.#schedule(alarm);
  }

  stop(): void {
    this.#started = false;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Evaluates soon, once for all data that come in the same turn. */
  #touch(names: readonly string[]): void {
    if (!this.#started) return;
    if (this.#touched.size === 0) queueMicrotask(() => this.#evaluateTouched());
    for (const name of names) this.#touched.add(name);
  }

  #evaluateTouched(): void {
    const names = [...this.#touched];
    this.#touched.clear();
    for (const name of names) {
      const alarm = this.#alarms.get(name);
      if (alarm && this.#started) this.#evaluate(alarm, false);
    }
  }

  #schedule(alarm: Alarm): void {
    this.#timers.get(alarm.name)?.();
    if (!this.#started) return;
    const nowMs = this.#context.clock.now();
    const stepMs = stepOf(alarm);
    const nextMs = Math.floor((nowMs - SETTLE_MS) / stepMs) * stepMs + stepMs + SETTLE_MS;
    const cancel = this.#context.clock.after(nextMs - nowMs, () => {
      const current = this.#alarms.get(alarm.name);
      if (!current) return;
      this.#evaluate(current, true);
      this.#schedule(current);
    });
    this.#timers.set(alarm.name, cancel);
  }

  #evaluate(alarm: Alarm, isPeriodEnd: boolean): void {
    const stepMs = stepOf(alarm);
    const endedMs = Math.floor(this.#context.clock.now() / stepMs) * stepMs;
    const early = this.#look(alarm, endedMs + stepMs);
    const open = early.periods.at(-1)?.value;
    const isEarly =
      open !== undefined && breaches(open, alarm) && canBreachEarly(alarm.statistic, alarm.comparison);
    if (isEarly && early.verdict.state === 'ALARM') {
      this.#conclude(alarm, early);
      return;
    }
    const ended = this.#look(alarm, endedMs);
    if (isPeriodEnd || ended.verdict.state === 'ALARM') this.#conclude(alarm, ended);
  }

  /** The periods of the evaluation range that ends at `endMs`, and what they come to. */
  #look(alarm: Alarm, endMs: number): Looked {
    const periodMs = alarm.periodSeconds * 1000;
    const count = alarm.evaluationPeriods + EXTRA_PERIODS;
    const startMs = endMs - count * periodMs;
    const found = this.#metrics.query(metricKey(alarm.metric), { startMs, endMs, periodMs }, alarm.unit);
    const read = statisticOf(alarm.statistic);
    const periods = Array.from({ length: count }, (_, index): EvaluatedPeriod => {
      const aggregate = found.get(startMs + index * periodMs);
      return {
        startMs: startMs + index * periodMs,
        value: aggregate && read(aggregate),
        sampleCount: aggregate?.count,
      };
    });
    return {
      periods,
      verdict: decide(
        periods.map(({ value }) => value),
        alarm,
      ),
    };
  }

  #conclude(alarm: Alarm, { periods, verdict }: Looked): void {
    const { state } = verdict;
    if (state === 'keep' || state === alarm.status.value) return;
    const updatedMs = this.#context.clock.now();
    const reason = reasonOf(alarm, periods, verdict);
    this.#become(alarm, {
      value: state,
      reason,
      reasonData: reasonDataOf(alarm, periods, updatedMs),
      updatedMs,
    });
  }

  #become(alarm: Alarm, status: AlarmStatus): void {
    const previous = alarm.status;
    const hasChanged = previous.value !== status.value;
    const transitionedMs = hasChanged ? status.updatedMs : alarm.transitionedMs;
    const next: Alarm = { ...alarm, status, transitionedMs };
    const letters = hasChanged
      ? this.#outbox.write(alarm.name, this.#lettersOf({ alarm: next, previous }))
      : [];
    this.#alarms.set(alarm.name, next);
    if (!hasChanged) return;
    const summary = `Alarm updated from ${previous.value} to ${status.value}`;
    this.#history.add(alarm.name, 'StateUpdate', summary, {
      version: '1.0',
      oldState: { stateValue: previous.value, stateReason: previous.reason },
      newState: { stateValue: status.value, stateReason: status.reason },
    });
    this.#context.log(`cloudwatch: ${alarm.name} is ${status.value}: ${status.reason}`);
    this.#outbox.send(letters);
  }

  #lettersOf(transition: Transition): NewLetter[] {
    const { alarm } = transition;
    const actions = {
      OK: alarm.okActions,
      ALARM: alarm.alarmActions,
      INSUFFICIENT_DATA: alarm.insufficientDataActions,
    }[alarm.status.value];
    const letters: NewLetter[] = [{ kind: 'event', event: alarmEvent(transition) }];
    for (const targetArn of alarm.actionsEnabled ? (actions ?? []) : []) {
      const isFunction = targetArn.split(':')[2] === 'lambda';
      const body = isFunction
        ? lambdaActionPayload(transition, this.#context)
        : snsMessage(transition, this.#context);
      letters.push({ kind: 'action', targetArn, body: JSON.stringify(body) });
    }
    return letters;
  }
}

/** How far periods slide between evaluations. */
const stepOf = (alarm: Alarm): number => Math.min(alarm.periodSeconds, 60) * 1000;
