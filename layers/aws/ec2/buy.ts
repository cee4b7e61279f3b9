import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  type CreateFleetError,
  type CreateFleetInstance,
  type FleetLaunchTemplateOverrides,
  type FleetLaunchTemplateOverridesRequest,
} from '@aws-sdk/client-ec2';
import type { Lifecycle } from '../../domain/model/host.ts';
import type { CapacityOffer, CapacityOrder, Pool } from '../../domain/model/pool.ts';
import type { BoughtInstance, Machines, PurchaseOutcome } from '../../ports/machines.ts';
import { classifyFailure } from '../errors.ts';
import type { Ec2 } from './ec2.ts';
import { TAGS } from './tags.ts';

/** EC2 has none of it, or the account may have no more of it: another type, zone or lifecycle may do. */
const shortageCodes: ReadonlySet<string> = new Set([
  'InsufficientInstanceCapacity',
  'InsufficientHostCapacity',
  'InsufficientReservedInstanceCapacity',
  'InsufficientFreeAddressesInSubnet',
  'MaxFleetCountExceeded',
  'MaxSpotInstanceCountExceeded',
  'ReservationCapacityExceeded',
  'UnfulfillableCapacity',
  'Unsupported',
  'VcpuLimitExceeded',
]);

/** Offers stand cheapest first, by a price that knows of fit and interruptions, which EC2's own lowest price does not. */
const toOverride = (offer: CapacityOffer, priority: number): FleetLaunchTemplateOverridesRequest => ({
  InstanceType: offer.instanceType as FleetLaunchTemplateOverridesRequest['InstanceType'],
  SubnetId: offer.subnet,
  Priority: priority,
});

function toInput(order: CapacityOrder, pool: Pool): CreateFleetCommandInput {
  const tags = [
    { Key: TAGS.cluster, Value: order.cluster },
    { Key: TAGS.pool, Value: order.pool },
    { Key: TAGS.order, Value: order.orderId },
  ];
  const byId = pool.launchTemplate.startsWith('lt-');
  return {
    Type: 'instant',
    ClientToken: order.orderId,
    TargetCapacitySpecification: {
      TotalTargetCapacity: order.hosts,
      DefaultTargetCapacityType: order.lifecycle,
    },
    ...(order.lifecycle === 'spot'
      ? { SpotOptions: { AllocationStrategy: 'price-capacity-optimized', SingleInstanceType: false } }
      : { OnDemandOptions: { AllocationStrategy: 'prioritized', SingleInstanceType: false } }),
    LaunchTemplateConfigs: [
      {
        LaunchTemplateSpecification: {
          ...(byId ? { LaunchTemplateId: pool.launchTemplate } : { LaunchTemplateName: pool.launchTemplate }),
          Version: '$Latest',
        },
        Overrides: order.offers.map(toOverride),
      },
    ],
    TagSpecifications: [
      { ResourceType: 'fleet', Tags: tags },
      { ResourceType: 'instance', Tags: tags },
    ],
  };
}

/** What an answer is about: EC2 repeats the override, whose zone may be known by the subnet only. */
function offerOf(
  order: CapacityOrder,
  overrides: FleetLaunchTemplateOverrides | undefined,
  instanceType: string | undefined,
) {
  const type = instanceType ?? overrides?.InstanceType ?? '';
  const offer =
    order.offers.find((each) => each.instanceType === type && each.subnet === overrides?.SubnetId) ??
    order.offers.find((each) => each.subnet === overrides?.SubnetId);
  return { instanceType: type, zone: overrides?.AvailabilityZone ?? offer?.zone ?? '' };
}

const lifecycleOf = (said: string | undefined, order: CapacityOrder): Lifecycle =>
  said === 'spot' || said === 'on-demand' ? said : order.lifecycle;

const toBought = (order: CapacityOrder, group: CreateFleetInstance): BoughtInstance[] =>
  (group.InstanceIds ?? []).map((hostId) => ({
    hostId,
    ...offerOf(order, group.LaunchTemplateAndOverrides?.Overrides, group.InstanceType),
    lifecycle: lifecycleOf(group.Lifecycle, order),
  }));

const describe = ({ ErrorCode, ErrorMessage }: CreateFleetError): string => `${ErrorCode}: ${ErrorMessage}`;

type Bought = Extract<PurchaseOutcome, { outcome: 'bought' }>;

function toShortages(order: CapacityOrder, errors: readonly CreateFleetError[]): Bought['shortages'] {
  const shortages = new Map<string, Bought['shortages'][number]>();
  for (const { ErrorCode: code = '', Lifecycle, LaunchTemplateAndOverrides } of errors) {
    if (!shortageCodes.has(code)) continue;
    const where = offerOf(order, LaunchTemplateAndOverrides?.Overrides, undefined);
    const lifecycle = lifecycleOf(Lifecycle, order);
    shortages.set(`${where.instanceType} ${where.zone} ${lifecycle}`, { ...where, lifecycle, code });
  }
  return [...shortages.values()];
}

/** A shortage that EC2 tells of the whole request holds for every offer in it. */
const shortOfAll = (order: CapacityOrder, code: string, detail: string): PurchaseOutcome => ({
  outcome: 'bought',
  instances: [],
  shortages: order.offers.map(({ instanceType, zone }) => ({
    instanceType,
    zone,
    lifecycle: order.lifecycle,
    code,
  })),
  errors: [detail],
});

/** CreateFleet `instant`: one attempt, answered at once, the same answer for the same order. */
export const buy =
  (ec2: Ec2): Machines['buy'] =>
  async (order, pool) => {
    try {
      const answer = await ec2.client.send(new CreateFleetCommand(toInput(order, pool)));
      const errors = answer.Errors ?? [];
      return {
        outcome: 'bought',
        instances: (answer.Instances ?? []).flatMap((group) => toBought(order, group)),
        shortages: toShortages(order, errors),
        errors: [...new Set(errors.map(describe))],
      };
    } catch (error) {
      const { kind, code, detail } = classifyFailure(error);
      if (shortageCodes.has(code)) return shortOfAll(order, code, detail);
      return kind === 'throttled' || kind === 'uncertain'
        ? { outcome: 'unknown', detail }
        : { outcome: 'failed', code, detail };
    }
  };
