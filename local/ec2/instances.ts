import { Deadlines, WakeTimer } from '../engine/deadlines.ts';
import type { EngineContext } from '../engine/service.ts';
import type { HostBackend, InstanceSpec } from '../hosts/backend.ts';
import type { Ec2Events } from './events.ts';
import type { InstanceStore } from './instanceStore.ts';
import { instanceTypes } from './instanceTypes.ts';
import { zoneNamed } from './network.ts';
import type { InstanceRecord, LaunchSpec } from './records.ts';

/** EC2 shows a terminated instance for about an hour. */
const SHOWN_AFTER_END_MS = 3_600_000;
/** Share of the boot time that an instance is pending; the rest is its system and its agent starting. */
const PENDING_SHARE = 0.6;
const WARNING_MS = 120_000;
/** Past the grace, how long the backend has to say that an instance is gone. */
const UNHEARD_MS = 30_000;

/** What happens to instances, for those who run agents on them. */
export interface InstanceHooks {
  /** Booted, and the whole boot time has passed: its agent may register. Repeated after a restart. */
  booted(record: InstanceRecord): void;
  /** Spot has warned that it takes the instance back. */
  warned?(record: InstanceRecord): void;
  shuttingDown(record: InstanceRecord): void;
  terminated(record: InstanceRecord): void;
}

export interface InstanceSettings {
  /** From launch to an agent that registers. */
  readonly bootMs: number;
  /** What an instance's processes get between SIGTERM and SIGKILL when it is terminated. */
  readonly terminateGraceMs: number;
}

/** The life of instances: pending, running, shutting-down, terminated, and an hour later forgotten. */
export class Instances {
  private readonly context: EngineContext;
  private readonly store: InstanceStore;
  private readonly events: Ec2Events;
  private readonly backend: HostBackend;
  private readonly settings: InstanceSettings;
  private readonly hooks: InstanceHooks;
  private readonly expiries = new Deadlines<InstanceRecord>();
  private readonly timer: WakeTimer;

  constructor(
    context: EngineContext,
    store: InstanceStore,
    events: Ec2Events,
    backend: HostBackend,
    settings: InstanceSettings,
    hooks: InstanceHooks,
  ) {
    this.context = context;
    this.store = store;
    this.events = events;
    this.backend = backend;
    this.settings = settings;
    this.hooks = hooks;
    this.timer = new WakeTimer(context.clock, () => this.expire());
  }

  /** Undefined when the subnet has no address left. */
  launch(spec: LaunchSpec, reservationId: string, launchIndex: number): InstanceRecord | undefined {
    const zone = zoneNamed(spec.zone);
    const privateIp = zone === undefined ? undefined : this.store.addresses.take(zone);
    if (privateIp === undefined) return undefined;
    const record: InstanceRecord = {
      ...spec,
      instanceId: `i-0${this.context.hex(16)}`,
      reservationId,
      state: 'pending',
      launchedAt: this.context.clock.now(),
      privateIp,
      ...(spec.lifecycle === 'spot' ? { spotRequestId: `sir-${this.context.hex(8)}` } : {}),
      launchIndex,
      sequence: this.store.nextSequence(),
    };
    this.store.put(record);
    this.events.stateChanged(record);
    this.runLater(record);
    return record;
  }

  /** Asks for the end; does nothing for an instance that is already ending. */
  terminate(record: InstanceRecord, code: string, message: string, transitionReason: string): InstanceRecord {
    if (record.state === 'shutting-down' || record.state === 'terminated') return record;
    const ending = this.update(record, {
      state: 'shutting-down',
      stateReason: { code, message },
      transitionReason,
    });
    this.hooks.shuttingDown(ending);
    const wasUp = record.state === 'running';
    if (wasUp) this.backend.terminate(record.instanceId, this.settings.terminateGraceMs);
    // A backend that does not know the instance has nothing to say of it; EC2 ends it all the same.
    const limitMs = wasUp ? this.settings.terminateGraceMs + UNHEARD_MS : 0;
    this.context.clock.after(limitMs, () => this.ended(record.instanceId, ''));
    return ending;
  }

  /** The backend's hosts are up; the agent waits for the rest of the boot time. */
  booted(instanceId: string): void {
    const record = this.store.get(instanceId);
    if (record?.state !== 'running') return;
    const readyAt = record.launchedAt + this.settings.bootMs;
    this.context.clock.after(Math.max(0, readyAt - this.context.clock.now()), () => {
      const current = this.store.get(instanceId);
      if (current?.state !== 'running') return;
      if (current.registered !== true) this.store.put({ ...current, registered: true });
      this.hooks.booted(current);
    });
  }

  bootFailed(instanceId: string, reason: string): void {
    const record = this.store.get(instanceId);
    if (record === undefined || record.state === 'terminated') return;
    this.context.log(`${instanceId} could not boot: ${reason}`);
    const stateReason = {
      code: 'Server.InternalError',
      message: 'Server.InternalError: Internal error on launch',
    };
    this.end({ ...record, stateReason });
  }

  /** The backend says that it is gone, asked for or not. */
  ended(instanceId: string, reason: string): void {
    const record = this.store.get(instanceId);
    if (record === undefined || record.state === 'terminated') return;
    if (record.state !== 'shutting-down') this.context.log(`${instanceId} is gone: ${reason}`);
    const stateReason = record.stateReason ?? {
      code: 'Server.InternalError',
      message: 'Server.InternalError: Host error',
    };
    this.end({ ...record, stateReason });
  }

  /** Spot wants the instance back: a warning, and its end two minutes later. */
  interrupt(instanceId: string, warningMs = WARNING_MS): void {
    const record = this.store.get(instanceId);
    if (record?.lifecycle !== 'spot' || record.state !== 'running' || record.interruptAt !== undefined)
      return;
    const warned = { ...record, interruptAt: this.context.clock.now() + warningMs };
    this.store.put(warned);
    this.events.interruptionWarning(warned);
    this.hooks.warned?.(warned);
    this.reclaimLater(warned);
  }

  recommendRebalance(instanceId: string): void {
    const record = this.store.get(instanceId);
    if (record?.state === 'running') this.events.rebalanceRecommendation(record);
  }

  /** Takes up after a restart: timers for what is under way, and what the backend should be running. */
  resume(): InstanceSpec[] {
    const specs: InstanceSpec[] = [];
    for (const record of [...this.store.all()]) {
      if (record.state === 'pending') this.runLater(record);
      else if (record.state === 'running') specs.push(specOf(record));
      // The backend sweeps away what it is not told of, which is how these end.
      else if (record.state === 'shutting-down') this.ended(record.instanceId, '');
      else this.expireLater(record);
      if (record.state === 'running' && record.interruptAt !== undefined) this.reclaimLater(record);
    }
    return specs;
  }

  private runLater(record: InstanceRecord): void {
    const runningAt = record.launchedAt + this.settings.bootMs * PENDING_SHARE;
    this.context.clock.after(Math.max(0, runningAt - this.context.clock.now()), () => {
      const current = this.store.get(record.instanceId);
      if (current?.state !== 'pending') return;
      const running = this.update(current, { state: 'running', runningAt: this.context.clock.now() });
      this.backend.boot(specOf(running));
    });
  }

  private reclaimLater(record: InstanceRecord): void {
    const delayMs = (record.interruptAt ?? 0) - this.context.clock.now();
    this.context.clock.after(Math.max(0, delayMs), () => {
      const current = this.store.get(record.instanceId);
      if (current === undefined) return;
      const message = 'Server.SpotInstanceTermination: Instance was terminated due to a Spot interruption';
      this.terminate(current, 'Server.SpotInstanceTermination', message, 'Server.SpotInstanceTermination');
    });
  }

  private end(record: InstanceRecord): void {
    const ended = this.update(record, { state: 'terminated', endedAt: this.context.clock.now() });
    this.hooks.terminated(ended);
    this.expireLater(ended);
  }

  private update(record: InstanceRecord, change: Partial<InstanceRecord>): InstanceRecord {
    const after = { ...record, ...change };
    this.store.put(after);
    this.events.stateChanged(after);
    return after;
  }

  private expireLater(record: InstanceRecord): void {
    this.expiries.add(record, (record.endedAt ?? this.context.clock.now()) + SHOWN_AFTER_END_MS);
    this.timer.need(this.expiries.earliestMs);
  }

  private expire(): void {
    const now = this.context.clock.now();
    for (let due = this.expiries.takeDue(now); due !== undefined; due = this.expiries.takeDue(now)) {
      const record = this.store.get(due.instanceId);
      if (record !== undefined) this.store.delete(record);
    }
    this.timer.need(this.expiries.earliestMs);
  }
}

/** What the backend is told of an instance. */
export function specOf(record: InstanceRecord): InstanceSpec {
  const type = instanceTypes.get(record.instanceType);
  return {
    instanceId: record.instanceId,
    instanceType: record.instanceType,
    vcpus: type?.vcpus ?? 1,
    memoryMiB: type?.memoryMiB ?? 0,
    architecture: type?.architecture ?? 'x86_64',
    zone: record.zone,
    lifecycle: record.lifecycle,
    privateIp: record.privateIp,
    userData: record.userData,
    tags: record.tags,
  };
}
