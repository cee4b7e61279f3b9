import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { EngineContext } from '../engine/service.ts';
import type { EcsEvents } from './events.ts';
import type { Host } from './host.ts';
import type { Demand, HostRecord, Tags } from './records.ts';
import type { EcsStore } from './store.ts';

/** ECS shows a container instance for an hour after it was deregistered. */
const SHOWN_AFTER_END_MS = 3_600_000;

/** What an agent says of its host when it registers. */
export interface Registration {
  readonly cluster: string;
  readonly ec2InstanceId: string;
  readonly agentVersion: string;
  readonly dockerVersion: string;
  readonly registered: Demand;
  readonly attributes: Tags;
  readonly tags: Tags;
}

/** Container instances from their registration to an hour after their end; every change is a version and an event. */
export class Hosts {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly events: EcsEvents;
  private readonly expiries = new Deadlines<HostRecord>();
  private readonly timer: WakeTimer;

  constructor(context: EngineContext, store: EcsStore, events: EcsEvents) {
    this.context = context;
    this.store = store;
    this.events = events;
    this.timer = new WakeTimer(context.clock, () => this.expire());
    for (const record of store.hosts()) if (record.status === 'INACTIVE') this.expireLater(record);
  }

  /**
   * Registers an agent's host, or finds it registered (its agent has restarted) and connects it. An agent that has
   * `forgotten` its registration gets another; the one before stays as it is, without an agent, until it is deregistered.
   */
  register(registration: Registration, forgotten = false): Host {
    const known = this.store.hostOfInstance(registration.cluster, registration.ec2InstanceId);
    if (known !== undefined && known.record.status !== 'INACTIVE' && forgotten) {
      if (known.agentConnected) this.change(known, { agentConnected: false });
    } else if (known !== undefined && known.record.status !== 'INACTIVE') {
      if (!known.agentConnected) this.change(known, { agentConnected: true });
      return known;
    }
    const host = this.store.putHost({
      ...registration,
      id: this.context.hex(32),
      version: 1,
      status: 'ACTIVE',
      agentConnected: true,
      registeredAt: this.context.clock.now(),
      sequence: this.store.nextSequence(),
    });
    this.events.hostChanged(host);
    return host;
  }

  /** A new version with the change in it, and an event that tells. */
  change(host: Host, change: Partial<HostRecord>): void {
    const { record } = host;
    this.store.putHost({ ...record, ...change, version: record.version + 1 });
    this.events.hostChanged(host);
  }

  /** What is left of the host has changed. */
  touch(cluster: string, hostId: string): void {
    const host = this.store.host(cluster, hostId);
    if (host !== undefined && host.record.status !== 'INACTIVE') this.change(host, {});
  }

  deactivate(host: Host): void {
    if (host.record.status === 'INACTIVE') return;
    this.change(host, {
      status: 'INACTIVE',
      agentConnected: false,
      inactiveSince: this.context.clock.now(),
    });
    this.expireLater(host.record);
  }

  private expireLater(record: HostRecord): void {
    this.expiries.add(record, (record.inactiveSince ?? this.context.clock.now()) + SHOWN_AFTER_END_MS);
    this.timer.need(this.expiries.earliestMs);
  }

  private expire(): void {
    const now = this.context.clock.now();
    for (let due = this.expiries.takeDue(now); due !== undefined; due = this.expiries.takeDue(now)) {
      this.store.deleteHost(due);
    }
    this.timer.need(this.expiries.earliestMs);
  }
}
