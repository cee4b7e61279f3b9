import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import type { Capacity } from './capacity.ts';
import { Addresses, zoneNamed } from './network.ts';
import type { InstanceRecord } from './records.ts';

const tagKey = (key: string, value: string): string => `${key}\u0000${value}`;

const holdsCapacity = (record: InstanceRecord): boolean => record.state !== 'terminated';

/** Instances by id and by tag, with the addresses and the capacity they hold. */
export class InstanceStore {
  readonly addresses = new Addresses();
  private readonly records: Collection<InstanceRecord>;
  private readonly capacity: Capacity;
  private readonly byTag = new Map<string, Set<string>>();
  private readonly ordered = new Set<string>();
  private sequence = 0;

  constructor(context: EngineContext, capacity: Capacity) {
    this.records = context.state.collection('ec2.instances');
    this.capacity = capacity;
    const sorted = [...this.records.values()].sort((a, b) => a.sequence - b.sequence);
    for (const record of sorted) this.index(undefined, record);
  }

  nextSequence(): number {
    this.sequence += 1;
    return this.sequence;
  }

  get(instanceId: string): InstanceRecord | undefined {
    return this.records.get(instanceId);
  }

  /** All, oldest first. */
  *all(): Generator<InstanceRecord> {
    for (const id of this.ordered) {
      const record = this.records.get(id);
      if (record !== undefined) yield record;
    }
  }

  /** Those with the tag, oldest first. */
  tagged(key: string, value: string): InstanceRecord[] {
    const records = [...(this.byTag.get(tagKey(key, value)) ?? [])].flatMap(
      (id) => this.records.get(id) ?? [],
    );
    return records.sort((a, b) => a.sequence - b.sequence);
  }

  put(record: InstanceRecord): void {
    const before = this.records.get(record.instanceId);
    this.records.set(record.instanceId, record);
    this.index(before, record);
  }

  delete(record: InstanceRecord): void {
    this.records.delete(record.instanceId);
    this.index(record, undefined);
  }

  private index(before: InstanceRecord | undefined, after: InstanceRecord | undefined): void {
    if (before?.tags !== after?.tags) this.indexTags(before, after);
    const held = before !== undefined && holdsCapacity(before);
    const holds = after !== undefined && holdsCapacity(after);
    if (holds && !held) this.hold(after);
    if (held && !holds) this.release(before);
    if (after === undefined && before !== undefined) this.ordered.delete(before.instanceId);
    if (after === undefined) return;
    this.ordered.add(after.instanceId);
    this.sequence = Math.max(this.sequence, after.sequence);
  }

  private indexTags(before: InstanceRecord | undefined, after: InstanceRecord | undefined): void {
    for (const [key, value] of Object.entries(before?.tags ?? {})) {
      const set = this.byTag.get(tagKey(key, value));
      set?.delete(before?.instanceId ?? '');
      if (set?.size === 0) this.byTag.delete(tagKey(key, value));
    }
    for (const [key, value] of Object.entries(after?.tags ?? {})) {
      const set = this.byTag.get(tagKey(key, value)) ?? new Set<string>();
      set.add(after?.instanceId ?? '');
      this.byTag.set(tagKey(key, value), set);
    }
  }

  private hold(record: InstanceRecord): void {
    this.capacity.count(record.instanceType, record.zone, record.lifecycle, 1);
    const zone = zoneNamed(record.zone);
    if (zone !== undefined) this.addresses.hold(zone, record.privateIp);
  }

  private release(record: InstanceRecord): void {
    this.capacity.count(record.instanceType, record.zone, record.lifecycle, -1);
    const zone = zoneNamed(record.zone);
    if (zone !== undefined) this.addresses.release(zone, record.privateIp);
  }
}
