import type {
  DescribeInstanceStatusCommandInput,
  DescribeInstanceStatusCommandOutput,
  DescribeInstancesCommandInput,
  DescribeInstancesCommandOutput,
  InstanceStatus,
  Reservation,
  TerminateInstancesCommandInput,
  TerminateInstancesCommandOutput,
} from '@aws-sdk/client-ec2';
import type { EngineContext } from '../engine/service.ts';
import { describeInstance, instanceFields, instanceFilters, stateOf } from './describeInstance.ts';
import { ec2Error, instancesNotFound, missing } from './errors.ts';
import { matchesFilters, type ParsedFilter, parseFilters } from './filters.ts';
import type { InstanceStore } from './instanceStore.ts';
import type { Instances } from './instances.ts';
import { zoneNamed } from './network.ts';
import { offsetPage } from './pages.ts';
import type { InstanceRecord } from './records.ts';

type Output<T> = Omit<T, '$metadata'>;

const MAX_TERMINATED = 1000;

export class InstanceOperations {
  private readonly context: EngineContext;
  private readonly store: InstanceStore;
  private readonly instances: Instances;

  constructor(context: EngineContext, store: InstanceStore, instances: Instances) {
    this.context = context;
    this.store = store;
    this.instances = instances;
  }

  describe(input: DescribeInstancesCommandInput): Output<DescribeInstancesCommandOutput> {
    const ids = input.InstanceIds ?? [];
    if (ids.length > 0 && input.MaxResults !== undefined) {
      throw ec2Error(
        'InvalidParameterCombination',
        'The parameter instancesSet cannot be used with the parameter maxResults',
      );
    }
    const filters = parseFilters(input.Filters, instanceFilters);
    const candidates = ids.length > 0 ? this.named(ids) : this.narrowed(filters);
    const found: InstanceRecord[] = [];
    for (const record of candidates) {
      if (matchesFilters(filters, instanceFields(record)) && this.isVisible(record)) found.push(record);
    }
    const page = offsetPage(found, input, Math.max(1000, ids.length));
    return { Reservations: reservations(page.items, this.context.accountId), NextToken: page.nextToken };
  }

  /** Without `IncludeAllInstances`, running instances only. */
  describeStatus(input: DescribeInstanceStatusCommandInput): Output<DescribeInstanceStatusCommandOutput> {
    const ids = input.InstanceIds ?? [];
    const known = ['availability-zone', 'event.code', 'instance-state-name'];
    const statuses = ['instance-status.status', 'system-status.status'];
    const filters = parseFilters(input.Filters, [...known, ...statuses]);
    const found: InstanceRecord[] = [];
    for (const record of ids.length > 0 ? this.named(ids) : this.store.all()) {
      if (record.state !== 'running' && input.IncludeAllInstances !== true) continue;
      const fields = {
        ...instanceFields(record),
        'event.code': (record.scheduledEvents ?? []).map((event) => event.code),
        'instance-status.status': [this.status(record, 'instance')],
        'system-status.status': [this.status(record, 'system')],
      };
      if (matchesFilters(filters, fields)) found.push(record);
    }
    const page = offsetPage(found, input, 100);
    return {
      InstanceStatuses: page.items.map((record) => this.describeOne(record)),
      NextToken: page.nextToken,
    };
  }

  /** Unknown ids refuse the whole call; instances that are ending already are named as they are. */
  terminate(input: TerminateInstancesCommandInput): Output<TerminateInstancesCommandOutput> {
    const ids = input.InstanceIds ?? [];
    if (ids.length === 0) throw missing('InstanceId');
    if (ids.length > MAX_TERMINATED) {
      throw ec2Error(
        'InvalidParameterValue',
        `At most ${MAX_TERMINATED} instances can be terminated at once.`,
      );
    }
    const now = new Date(this.context.clock.now()).toISOString().slice(0, 19).replace('T', ' ');
    return {
      TerminatingInstances: this.named([...new Set(ids)]).map((before) => {
        const message = 'Client.UserInitiatedShutdown: User initiated shutdown';
        const reason = `User initiated (${now} GMT)`;
        const after = this.instances.terminate(before, 'Client.UserInitiatedShutdown', message, reason);
        return {
          InstanceId: before.instanceId,
          PreviousState: stateOf(before.state),
          CurrentState: stateOf(after.state),
        };
      }),
    };
  }

  private named(ids: readonly string[]): InstanceRecord[] {
    const malformed = ids.find((id) => !/^i-[0-9a-f]{8,17}$/.test(id));
    if (malformed !== undefined) throw ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`);
    const records = ids.map((id) => this.store.get(id));
    const unknown = ids.filter((_id, index) => {
      const record = records[index];
      return record === undefined || !this.isVisible(record);
    });
    if (unknown.length > 0) throw instancesNotFound(unknown);
    return records.filter((record) => record !== undefined);
  }

  /**
   * Reads are eventually consistent: with a `delay` fault at `ec2.staleRead`, asked with the instance id, an instance
   * younger than the delay is not there yet; with `drop` it is not seen.
   */
  private isVisible(record: InstanceRecord): boolean {
    const fault = this.context.faults.at('ec2.staleRead', record.instanceId);
    if (fault?.kind === 'drop') return false;
    return fault?.kind !== 'delay' || record.launchedAt + fault.delayMs <= this.context.clock.now();
  }

  /** An exact tag is an index; anything else goes over all. */
  private narrowed(filters: readonly ParsedFilter[]): Iterable<InstanceRecord> {
    for (const { name, values } of filters) {
      const [value] = values;
      if (!name.startsWith('tag:') || values.length !== 1 || value === undefined || /[*?\\]/.test(value))
        continue;
      return this.store.tagged(name.slice('tag:'.length), value);
    }
    return this.store.all();
  }

  private status(record: InstanceRecord, of: 'instance' | 'system'): 'initializing' | 'ok' | 'impaired' {
    if (record.impaired === of) return 'impaired';
    return record.registered === true ? 'ok' : 'initializing';
  }

  private describeOne(record: InstanceRecord): InstanceStatus {
    const summary = (of: 'instance' | 'system'): NonNullable<InstanceStatus['InstanceStatus']> => {
      const status = this.status(record, of);
      const detail = status === 'ok' ? 'passed' : status === 'impaired' ? 'failed' : 'initializing';
      return { Status: status, Details: [{ Name: 'reachability', Status: detail }] };
    };
    const zone = zoneNamed(record.zone);
    return {
      AvailabilityZone: record.zone,
      ...(zone === undefined ? {} : { AvailabilityZoneId: zone.zoneId }),
      Events: (record.scheduledEvents ?? []).map((event) => ({
        InstanceEventId: event.eventId,
        Code: event.code,
        Description: event.description,
        NotBefore: new Date(event.notBefore),
      })),
      InstanceId: record.instanceId,
      InstanceState: stateOf(record.state),
      InstanceStatus: summary('instance'),
      SystemStatus: summary('system'),
    };
  }
}

function reservations(records: readonly InstanceRecord[], accountId: string): Reservation[] {
  const byId = new Map<string, Reservation>();
  for (const record of records) {
    const known = byId.get(record.reservationId) ?? {
      ReservationId: record.reservationId,
      OwnerId: accountId,
      Groups: [],
      Instances: [],
    };
    known.Instances?.push(describeInstance(record, accountId));
    byId.set(record.reservationId, known);
  }
  return [...byId.values()];
}
