import { type Deadline, Deadlines, WakeTimer } from '../engine/deadlines.ts';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { compileRule, isEnabled, type Rule, type StoredRule } from './rule.ts';

export interface StoredBus {
  readonly name: string;
  readonly description?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

export interface Bus {
  stored: StoredBus;
  readonly arn: string;
  readonly rules: Map<string, Rule>;
  /** Every field name that a pattern of the bus needs. */
  steps: ReadonlySet<string>;
}

export const DEFAULT_BUS = 'default';

/** The buses of the account and Region with their rules, and the timer of the scheduled ones. */
export class Buses {
  readonly arnPrefix: string;
  private readonly context: EngineContext;
  private readonly storedBuses: Collection<StoredBus>;
  private readonly storedRules: Collection<StoredRule>;
  private readonly buses = new Map<string, Bus>();
  private readonly deadlines = new Deadlines<Rule>();
  private readonly scheduled = new Map<string, Deadline<Rule>>();
  private readonly timer: WakeTimer;
  private started = false;
  private readonly onSchedule: (rule: Rule, atMs: number) => void;

  constructor(context: EngineContext, onSchedule: (rule: Rule, atMs: number) => void) {
    this.context = context;
    this.onSchedule = onSchedule;
    this.arnPrefix = `arn:aws:events:${context.region}:${context.accountId}`;
    this.storedBuses = context.state.collection('events.buses');
    this.storedRules = context.state.collection('events.rules');
    this.timer = new WakeTimer(context.clock, () => this.wake());
    const nowMs = context.clock.now();
    this.addBus({ name: DEFAULT_BUS, tags: {}, createdAtMs: nowMs, modifiedAtMs: nowMs });
    for (const stored of this.storedBuses.values()) this.addBus(stored);
    for (const stored of this.storedRules.values()) this.addRule(stored);
  }

  all(): IterableIterator<Bus> {
    return this.buses.values();
  }

  /** By name or ARN; the default bus without either. */
  find(nameOrArn: string | undefined): Bus | undefined {
    const name = nameOrArn?.replace(`${this.arnPrefix}:event-bus/`, '');
    return this.buses.get(name ?? DEFAULT_BUS);
  }

  get(nameOrArn: string | undefined): Bus {
    const bus = this.find(nameOrArn);
    if (bus === undefined) throw notFound(`Event bus ${String(nameOrArn)} does not exist.`);
    return bus;
  }

  rule(bus: Bus, name: string | undefined): Rule {
    const rule = bus.rules.get(name ?? '');
    if (rule === undefined)
      throw notFound(`Rule ${String(name)} does not exist on EventBus ${bus.stored.name}.`);
    return rule;
  }

  putBus(stored: StoredBus): Bus {
    this.storedBuses.set(stored.name, stored);
    return this.addBus(stored);
  }

  removeBus(bus: Bus): void {
    this.storedBuses.delete(bus.stored.name);
    this.buses.delete(bus.stored.name);
  }

  /** Compiles first, so that a malformed rule changes nothing. */
  putRule(stored: StoredRule): Rule {
    const rule = this.addRule(stored);
    this.storedRules.set(keyOf(stored), stored);
    return rule;
  }

  removeRule(bus: Bus, { stored }: Rule): void {
    this.unschedule(stored);
    this.storedRules.delete(keyOf(stored));
    bus.rules.delete(stored.name);
    bus.steps = stepsOf(bus);
  }

  /** Scheduled rules fire from now on. What fell due while the process was down is not made up for. */
  start(): void {
    this.started = true;
    this.timer.need(this.deadlines.earliestMs);
  }

  stop(): void {
    this.started = false;
    this.timer.stop();
  }

  private addBus(stored: StoredBus): Bus {
    const known = this.buses.get(stored.name);
    if (known !== undefined) {
      known.stored = stored;
      return known;
    }
    const arn = `${this.arnPrefix}:event-bus/${stored.name}`;
    const bus: Bus = { stored, arn, rules: new Map(), steps: new Set() };
    this.buses.set(stored.name, bus);
    return bus;
  }

  private addRule(stored: StoredRule): Rule {
    const bus = this.get(stored.bus);
    const rule = compileRule(stored, this.arnPrefix);
    bus.rules.set(stored.name, rule);
    bus.steps = stepsOf(bus);
    this.unschedule(stored);
    this.schedule(rule, this.context.clock.now());
    return rule;
  }

  private schedule(rule: Rule, afterMs: number): void {
    if (rule.schedule === undefined || !isEnabled(rule)) return;
    const atMs = rule.schedule.next(afterMs, rule.stored.scheduledFromMs);
    if (atMs === undefined) return;
    this.scheduled.set(keyOf(rule.stored), this.deadlines.add(rule, atMs));
    if (this.started) this.timer.need(atMs);
  }

  private unschedule(stored: StoredRule): void {
    const deadline = this.scheduled.get(keyOf(stored));
    if (deadline !== undefined) this.deadlines.remove(deadline);
    this.scheduled.delete(keyOf(stored));
  }

  private wake(): void {
    const nowMs = this.context.clock.now();
    for (let rule = this.deadlines.takeDue(nowMs); rule !== undefined; rule = this.deadlines.takeDue(nowMs)) {
      const atMs = this.scheduled.get(keyOf(rule.stored))?.atMs ?? nowMs;
      this.onSchedule(rule, atMs);
      this.schedule(rule, nowMs);
    }
    this.timer.need(this.deadlines.earliestMs);
  }
}

const keyOf = ({ bus, name }: StoredRule): string => `${bus}/${name}`;

const notFound = (message: string): ServiceError => new ServiceError('ResourceNotFoundException', message);

function stepsOf(bus: Bus): ReadonlySet<string> {
  const steps = new Set<string>();
  for (const { pattern } of bus.rules.values()) for (const step of pattern?.steps ?? []) steps.add(step);
  return steps;
}
