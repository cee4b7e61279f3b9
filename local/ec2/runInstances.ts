import type {
  RequestLaunchTemplateData,
  RunInstancesCommandInput,
  RunInstancesCommandOutput,
} from '@aws-sdk/client-ec2';
import type { EngineContext } from '../engine/service.ts';
import type { Capacity, Shortage } from './capacity.ts';
import { describeInstance } from './describeInstance.ts';
import { ec2Error, invalidValue, missing } from './errors.ts';
import { noAddress } from './fleet.ts';
import { Idempotency } from './idempotency.ts';
import type { InstanceStore } from './instanceStore.ts';
import type { Instances } from './instances.ts';
import { launchSpec, mismatch, templateTags, zonesFor } from './launchData.ts';
import type { LaunchTemplates } from './launchTemplates.ts';
import type { Zone } from './network.ts';
import type { Lifecycle, Tags } from './records.ts';
import { tagsFor } from './tags.ts';

const MAX_COUNT = 1000;

interface Launched {
  readonly reservationId: string;
  readonly instanceIds: readonly string[];
}

/** RunInstances: between MinCount and MaxCount instances of one type in one zone, or an error and none. */
export class InstanceLauncher {
  private readonly context: EngineContext;
  private readonly store: InstanceStore;
  private readonly templates: LaunchTemplates;
  private readonly capacity: Capacity;
  private readonly instances: Instances;
  private readonly tokens: Idempotency<Launched>;

  constructor(
    context: EngineContext,
    store: InstanceStore,
    templates: LaunchTemplates,
    capacity: Capacity,
    instances: Instances,
  ) {
    this.context = context;
    this.store = store;
    this.templates = templates;
    this.capacity = capacity;
    this.instances = instances;
    this.tokens = new Idempotency(context, 'ec2.runTokens');
  }

  run(input: RunInstancesCommandInput): Omit<RunInstancesCommandOutput, '$metadata'> {
    const { ClientToken: token, ...request } = input;
    const launched = this.tokens.once(token, request, () => this.launch(input));
    return {
      ReservationId: launched.reservationId,
      OwnerId: this.context.accountId,
      Groups: [],
      Instances: launched.instanceIds.flatMap((id) => {
        const record = this.store.get(id);
        return record === undefined ? [] : [describeInstance(record, this.context.accountId)];
      }),
    };
  }

  private launch(input: RunInstancesCommandInput): Launched {
    const { MinCount: minimum = 1, MaxCount: maximum = 1 } = input;
    if (minimum < 1 || maximum < minimum || maximum > MAX_COUNT) {
      throw invalidValue(`Invalid MinCount ${minimum} or MaxCount ${maximum}.`);
    }
    const { data, tags } = this.merged(input);
    const { InstanceType: instanceType } = data;
    if (instanceType === undefined) throw missing('InstanceType');
    const wrong = mismatch(instanceType, data);
    if (wrong !== undefined) throw invalidValue(wrong);
    const lifecycle = data.InstanceMarketOptions?.MarketType === 'spot' ? 'spot' : 'on-demand';
    const [network] = data.NetworkInterfaces ?? [];
    const subnetId = input.SubnetId ?? network?.SubnetId;
    const choices = zonesFor(subnetId, data.Placement?.AvailabilityZone);
    const zone = this.bestZone(choices, instanceType, lifecycle);
    const count = Math.min(maximum, this.available(zone, instanceType, lifecycle, maximum));
    if (count < minimum) throw this.refusal(zone, instanceType, lifecycle);
    const choice = { instanceType, zone, lifecycle, tags } as const;
    const token = input.ClientToken === undefined ? {} : { clientToken: input.ClientToken };
    const spec = launchSpec(data, { ...choice, ...token });
    const reservationId = `r-0${this.context.hex(16)}`;
    const instanceIds: string[] = [];
    for (let index = 0; index < count; index++) {
      const record = this.instances.launch(spec, reservationId, index);
      if (record !== undefined) instanceIds.push(record.instanceId);
    }
    return { reservationId, instanceIds };
  }

  /** The template's data with the request's own on top. */
  private merged(input: RunInstancesCommandInput): { data: RequestLaunchTemplateData; tags: Tags } {
    const reference = input.LaunchTemplate;
    const record = reference === undefined ? undefined : this.templates.find(reference);
    const version = record === undefined ? undefined : this.templates.versionOf(record, reference?.Version);
    const own: RequestLaunchTemplateData = {
      ImageId: input.ImageId,
      InstanceType: input.InstanceType,
      KeyName: input.KeyName,
      UserData: input.UserData,
      SecurityGroupIds: input.SecurityGroupIds,
      IamInstanceProfile: input.IamInstanceProfile,
      InstanceMarketOptions: input.InstanceMarketOptions,
      Placement: input.Placement,
      MetadataOptions: input.MetadataOptions,
    };
    const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    const fromTemplate =
      record === undefined || version === undefined ? {} : templateTags(record, version.version);
    return {
      data: { ...version?.data, ...given },
      tags: { ...fromTemplate, ...tagsFor('instance', input.TagSpecifications) },
    };
  }

  private bestZone(choices: readonly Zone[], type: string, lifecycle: Lifecycle): Zone {
    const [first] = choices;
    if (first === undefined) throw invalidValue('No subnet to launch in.');
    return choices.find((zone) => this.capacity.shortage(type, zone.name, lifecycle) === undefined) ?? first;
  }

  private available(zone: Zone, type: string, lifecycle: Lifecycle, wanted: number): number {
    if (this.capacity.shortage(type, zone.name, lifecycle) !== undefined) return 0;
    const left = this.capacity.left(type, zone.name, lifecycle);
    return Math.min(wanted, left, this.store.addresses.free(zone));
  }

  private refusal(zone: Zone, type: string, lifecycle: Lifecycle): Error {
    const shortage: Shortage =
      this.capacity.shortage(type, zone.name, lifecycle) ??
      (this.store.addresses.free(zone) < 1
        ? noAddress(zone.subnetId)
        : this.capacity.exhausted(type, zone.name, lifecycle));
    const isServers = shortage.code === 'InsufficientInstanceCapacity';
    return ec2Error(shortage.code, shortage.message, isServers ? 500 : 400);
  }
}
