import type {
  AuthorizeSecurityGroupEgressCommandInput,
  AuthorizeSecurityGroupIngressCommandInput,
  CreateFleetCommandInput,
  CreateLaunchTemplateCommandInput,
  CreateLaunchTemplateVersionCommandInput,
  CreateSecurityGroupCommandInput,
  CreateTagsCommandInput,
  DeleteLaunchTemplateCommandInput,
  DeleteSecurityGroupCommandInput,
  DeleteTagsCommandInput,
  DescribeAvailabilityZonesCommandInput,
  DescribeImagesCommandInput,
  DescribeInstanceStatusCommandInput,
  DescribeInstancesCommandInput,
  DescribeInstanceTypeOfferingsCommandInput,
  DescribeInstanceTypesCommandInput,
  DescribeLaunchTemplatesCommandInput,
  DescribeLaunchTemplateVersionsCommandInput,
  DescribeSecurityGroupRulesCommandInput,
  DescribeSecurityGroupsCommandInput,
  DescribeSpotPriceHistoryCommandInput,
  DescribeSubnetsCommandInput,
  DescribeTagsCommandInput,
  DescribeVpcsCommandInput,
  ModifyLaunchTemplateCommandInput,
  RevokeSecurityGroupEgressCommandInput,
  RevokeSecurityGroupIngressCommandInput,
  RunInstancesCommandInput,
  TerminateInstancesCommandInput,
} from '@aws-sdk/client-ec2';
import { withFaults } from '../engine/faultyOperation.ts';
import type { EngineContext, EventSink, Service } from '../engine/service.ts';
import type { HostBackend, InstanceSpec } from '../hosts/backend.ts';
import { Capacity, type VcpuLimits } from './capacity.ts';
import { Ec2Events } from './events.ts';
import { Fleets } from './fleet.ts';
import { describeImages } from './images.ts';
import { InstanceOperations } from './instanceOperations.ts';
import { InstanceStore } from './instanceStore.ts';
import { type InstanceHooks, Instances } from './instances.ts';
import { describeInstanceTypeOfferings, describeInstanceTypes } from './instanceTypes.ts';
import { LaunchTemplates } from './launchTemplates.ts';
import { describeSubnets, describeVpcs, describeZones } from './network.ts';
import type { InstanceRecord, Lifecycle } from './records.ts';
import { InstanceLauncher } from './runInstances.ts';
import { SecurityGroups } from './securityGroups.ts';
import { describeSpotPriceHistory } from './spotPrices.ts';
import { TagOperations } from './tagOperations.ts';
import { createThrottle } from './throttle.ts';

export interface Ec2Parts {
  readonly events: EventSink;
  readonly backend: HostBackend;
  readonly hooks: InstanceHooks;
  /** From launch to an agent that registers; 2,000 by default. Six tenths of it an instance is pending. */
  readonly bootMs?: number;
  /** What processes get between SIGTERM and SIGKILL when their instance is terminated; 10,000 by default. */
  readonly terminateGraceMs?: number;
  readonly vcpuLimits?: VcpuLimits;
}

/** EC2 for the embedded hosts: the service that callers see, and what only the world outside it can do to instances. */
export interface Ec2 {
  readonly service: Service;
  instance(instanceId: string): InstanceRecord | undefined;
  /** How many instances of this kind may exist at once, from the moment on; undefined lifts the bound. */
  setCapacity(type: string, zone: string, lifecycle: Lifecycle, instances: number | undefined): void;
  /** Spot takes a running instance back: a warning now, its end `warningMs` (2 minutes) later. */
  interruptSpot(instanceId: string, warningMs?: number): void;
  recommendRebalance(instanceId: string): void;
  /** Fails a status check, or mends it. */
  setImpaired(instanceId: string, check: 'instance' | 'system' | undefined): void;
  /** Announces maintenance that DescribeInstanceStatus shows. */
  scheduleEvents(instanceId: string, events: NonNullable<InstanceRecord['scheduledEvents']>): void;
  booted(instanceId: string): void;
  bootFailed(instanceId: string, reason: string): void;
  /** The backend says that an instance is gone. */
  ended(instanceId: string, reason: string): void;
  /** After a restart: takes up timers and answers with the instances that should be running. */
  resume(): InstanceSpec[];
}

export function createEc2(context: EngineContext, parts: Ec2Parts): Ec2 {
  const capacity = new Capacity(context, parts.vcpuLimits ?? {});
  const store = new InstanceStore(context, capacity);
  const settings = { bootMs: parts.bootMs ?? 2000, terminateGraceMs: parts.terminateGraceMs ?? 10_000 };
  const events = new Ec2Events(context, parts.events);
  const instances = new Instances(context, store, events, parts.backend, settings, parts.hooks);
  const templates = new LaunchTemplates(context);
  const fleets = new Fleets(context, templates, capacity, instances);
  const launcher = new InstanceLauncher(context, store, templates, capacity, instances);
  const operations = new InstanceOperations(context, store, instances);
  const groups = new SecurityGroups(context, store);
  const tags = new TagOperations(store, templates, groups);
  const throttle = createThrottle(context.clock);
  const { accountId, region, clock, state } = context;

  const operation =
    <I, O>(name: string, carryOut: (input: I) => O, instancesOf: (input: I) => number = () => 0) =>
    (input: I): Promise<O> =>
      withFaults(context, `ec2.${name}`, undefined, () => {
        throttle(name, instancesOf(input));
        return state.atomically(() => carryOut(input));
      });
  const change = (instanceId: string, changes: Partial<InstanceRecord>): void => {
    const record = store.get(instanceId);
    if (record !== undefined) store.put({ ...record, ...changes });
  };

  return {
    service: {
      signingName: 'ec2',
      operations: {
        DescribeInstanceTypes: operation(
          'DescribeInstanceTypes',
          (input: DescribeInstanceTypesCommandInput) => describeInstanceTypes(input),
        ),
        DescribeInstanceTypeOfferings: operation(
          'DescribeInstanceTypeOfferings',
          (input: DescribeInstanceTypeOfferingsCommandInput) => describeInstanceTypeOfferings(input, region),
        ),
        DescribeImages: operation('DescribeImages', (input: DescribeImagesCommandInput) =>
          describeImages(input),
        ),
        DescribeAvailabilityZones: operation(
          'DescribeAvailabilityZones',
          (input: DescribeAvailabilityZonesCommandInput) => describeZones(input, region),
        ),
        DescribeVpcs: operation('DescribeVpcs', (input: DescribeVpcsCommandInput) =>
          describeVpcs(input, accountId),
        ),
        DescribeSubnets: operation('DescribeSubnets', (input: DescribeSubnetsCommandInput) =>
          describeSubnets(input, store.addresses, accountId),
        ),
        DescribeSpotPriceHistory: operation(
          'DescribeSpotPriceHistory',
          (input: DescribeSpotPriceHistoryCommandInput) => describeSpotPriceHistory(input, clock.now()),
        ),
        CreateLaunchTemplate: operation('CreateLaunchTemplate', (input: CreateLaunchTemplateCommandInput) =>
          templates.create(input),
        ),
        CreateLaunchTemplateVersion: operation(
          'CreateLaunchTemplateVersion',
          (input: CreateLaunchTemplateVersionCommandInput) => templates.createVersion(input),
        ),
        ModifyLaunchTemplate: operation('ModifyLaunchTemplate', (input: ModifyLaunchTemplateCommandInput) =>
          templates.modify(input),
        ),
        DeleteLaunchTemplate: operation('DeleteLaunchTemplate', (input: DeleteLaunchTemplateCommandInput) =>
          templates.delete(input),
        ),
        DescribeLaunchTemplates: operation(
          'DescribeLaunchTemplates',
          (input: DescribeLaunchTemplatesCommandInput) => templates.describe(input),
        ),
        DescribeLaunchTemplateVersions: operation(
          'DescribeLaunchTemplateVersions',
          (input: DescribeLaunchTemplateVersionsCommandInput) => templates.describeVersions(input),
        ),
        CreateFleet: operation('CreateFleet', (input: CreateFleetCommandInput) => fleets.create(input)),
        RunInstances: operation(
          'RunInstances',
          (input: RunInstancesCommandInput) => launcher.run(input),
          (input) => input.MaxCount ?? 1,
        ),
        TerminateInstances: operation('TerminateInstances', (input: TerminateInstancesCommandInput) =>
          operations.terminate(input),
        ),
        DescribeInstances: operation('DescribeInstances', (input: DescribeInstancesCommandInput) =>
          operations.describe(input),
        ),
        DescribeInstanceStatus: operation(
          'DescribeInstanceStatus',
          (input: DescribeInstanceStatusCommandInput) => operations.describeStatus(input),
        ),
        CreateTags: operation('CreateTags', (input: CreateTagsCommandInput) => tags.create(input)),
        DeleteTags: operation('DeleteTags', (input: DeleteTagsCommandInput) => tags.delete(input)),
        DescribeTags: operation('DescribeTags', (input: DescribeTagsCommandInput) => tags.describe(input)),
        CreateSecurityGroup: operation('CreateSecurityGroup', (input: CreateSecurityGroupCommandInput) =>
          groups.create(input),
        ),
        DeleteSecurityGroup: operation('DeleteSecurityGroup', (input: DeleteSecurityGroupCommandInput) =>
          groups.delete(input),
        ),
        DescribeSecurityGroups: operation(
          'DescribeSecurityGroups',
          (input: DescribeSecurityGroupsCommandInput) => groups.describe(input),
        ),
        DescribeSecurityGroupRules: operation(
          'DescribeSecurityGroupRules',
          (input: DescribeSecurityGroupRulesCommandInput) => groups.describeRules(input),
        ),
        AuthorizeSecurityGroupIngress: operation(
          'AuthorizeSecurityGroupIngress',
          (input: AuthorizeSecurityGroupIngressCommandInput) => groups.authorize('ingress', input),
        ),
        AuthorizeSecurityGroupEgress: operation(
          'AuthorizeSecurityGroupEgress',
          (input: AuthorizeSecurityGroupEgressCommandInput) => groups.authorize('egress', input),
        ),
        RevokeSecurityGroupIngress: operation(
          'RevokeSecurityGroupIngress',
          (input: RevokeSecurityGroupIngressCommandInput) => groups.revoke('ingress', input),
        ),
        RevokeSecurityGroupEgress: operation(
          'RevokeSecurityGroupEgress',
          (input: RevokeSecurityGroupEgressCommandInput) => groups.revoke('egress', input),
        ),
      },
    },
    instance: (instanceId) => store.get(instanceId),
    setCapacity: (type, zone, lifecycle, count) => capacity.set(type, zone, lifecycle, count),
    interruptSpot: (instanceId, warningMs) => instances.interrupt(instanceId, warningMs),
    recommendRebalance: (instanceId) => instances.recommendRebalance(instanceId),
    setImpaired(instanceId, check) {
      const record = store.get(instanceId);
      if (record === undefined) return;
      const { impaired: _impaired, ...mended } = record;
      store.put(check === undefined ? mended : { ...mended, impaired: check });
    },
    scheduleEvents: (instanceId, scheduledEvents) => change(instanceId, { scheduledEvents }),
    booted: (instanceId) => instances.booted(instanceId),
    bootFailed: (instanceId, reason) => state.atomically(() => instances.bootFailed(instanceId, reason)),
    ended: (instanceId, reason) => state.atomically(() => instances.ended(instanceId, reason)),
    resume: () => instances.resume(),
  };
}
