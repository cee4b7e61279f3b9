import type {
  CreateFleetCommandInput,
  CreateFleetCommandOutput,
  CreateFleetError,
  CreateFleetInstance,
  FleetLaunchTemplateOverrides,
  _InstanceType as InstanceTypeName,
  LaunchTemplateAndOverridesResponse,
} from '@aws-sdk/client-ec2';
import type { EngineContext } from '../engine/service.ts';
import type { Capacity, Shortage } from './capacity.ts';
import { missing } from './errors.ts';
import { type FleetPool, order, poolsOf, priceOf } from './fleetPools.ts';
import { checkFleet, fleetTargets } from './fleetRules.ts';
import { Idempotency } from './idempotency.ts';
import { findImage } from './images.ts';
import type { Instances } from './instances.ts';
import { launchSpec, mismatch, templateTags } from './launchData.ts';
import type { LaunchTemplates } from './launchTemplates.ts';
import type { Lifecycle, Tags } from './records.ts';
import { tagsFor } from './tags.ts';

type FleetResult = Omit<CreateFleetCommandOutput, '$metadata'>;

/** What Spot and On-Demand options have in common; the pool count is Spot's. */
interface Options {
  readonly AllocationStrategy?: string | undefined;
  readonly InstancePoolsToUseCount?: number | undefined;
  readonly SingleInstanceType?: boolean | undefined;
  readonly SingleAvailabilityZone?: boolean | undefined;
  readonly MinTargetCapacity?: number | undefined;
}

interface Purchase {
  readonly lifecycle: Lifecycle;
  readonly target: number;
  readonly pools: readonly FleetPool[];
  readonly options: Options;
  readonly tags: Tags;
  readonly fleetId: string;
}

/** Instances decided on for one pool, none of them launched yet. */
interface Share {
  readonly pool: FleetPool;
  instances: number;
}

interface Decision {
  readonly shares: readonly Share[];
  readonly shortages: ReadonlyMap<FleetPool, Shortage>;
  readonly units: number;
}

/** CreateFleet of type `instant`: one synchronous attempt, answered with what was had and, by override, what was not. */
export class Fleets {
  private readonly context: EngineContext;
  private readonly templates: LaunchTemplates;
  private readonly capacity: Capacity;
  private readonly instances: Instances;
  private readonly tokens: Idempotency<FleetResult>;

  constructor(context: EngineContext, templates: LaunchTemplates, capacity: Capacity, instances: Instances) {
    this.context = context;
    this.templates = templates;
    this.capacity = capacity;
    this.instances = instances;
    this.tokens = new Idempotency(context, 'ec2.fleetTokens');
  }

  create(input: CreateFleetCommandInput): FleetResult {
    checkFleet(input);
    const { ClientToken: token, ...request } = input;
    return this.tokens.once(token, request, () => this.buy(input));
  }

  private buy(input: CreateFleetCommandInput): FleetResult {
    const id = this.context.hex(32);
    const fleetId = `fleet-${[id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-')}`;
    const pools = (input.LaunchTemplateConfigs ?? []).flatMap((config) => {
      const reference = config.LaunchTemplateSpecification;
      if (reference === undefined) throw missing('LaunchTemplateSpecification');
      const record = this.templates.find(reference);
      const { version, data } = this.templates.versionOf(record, reference.Version);
      if (data.ImageId === undefined) throw missing('ImageId');
      findImage(data.ImageId);
      return poolsOf({ record, version, data }, config.Overrides ?? []);
    });
    const tags = { 'aws:ec2:fleet-id': fleetId, ...tagsFor('instance', input.TagSpecifications) };
    const { onDemand, spot } = fleetTargets(input);
    const common = { pools, tags, fleetId };
    const results = [
      this.purchase({
        ...common,
        lifecycle: 'on-demand',
        target: onDemand,
        options: input.OnDemandOptions ?? {},
      }),
      this.purchase({ ...common, lifecycle: 'spot', target: spot, options: input.SpotOptions ?? {} }),
    ];
    return {
      FleetId: fleetId,
      Errors: results.flatMap((result) => result.errors),
      Instances: results.flatMap((result) => result.instances),
    };
  }

  private purchase(purchase: Purchase): { errors: CreateFleetError[]; instances: CreateFleetInstance[] } {
    if (purchase.target <= 0) return { errors: [], instances: [] };
    const decision = this.decide(purchase);
    const errors = [...decision.shortages].map(([pool, shortage]) =>
      fleetError(pool, purchase.lifecycle, shortage),
    );
    if (decision.units < (purchase.options.MinTargetCapacity ?? 0)) {
      const [first] = purchase.pools;
      const unmet = {
        code: 'UnfulfillableCapacity',
        message: 'Unable to fulfill the minimum target capacity. No instances were launched.',
      };
      if (errors.length === 0 && first !== undefined)
        errors.push(fleetError(first, purchase.lifecycle, unmet));
      return { errors, instances: [] };
    }
    const instances: CreateFleetInstance[] = [];
    for (const share of decision.shares) {
      const launched = this.launch(purchase, share);
      if (launched.ids.length > 0)
        instances.push(fleetInstance(share.pool, purchase.lifecycle, launched.ids));
      if (launched.shortage !== undefined) {
        errors.push(fleetError(share.pool, purchase.lifecycle, launched.shortage));
      }
    }
    return { errors, instances };
  }

  /** The best of the pool sets that the single-type and single-zone rules allow. */
  private decide(purchase: Purchase): Decision {
    const { options, pools } = purchase;
    const keys = new Map<string, FleetPool[]>();
    for (const pool of pools) {
      const type = options.SingleInstanceType === true ? pool.instanceType : '';
      const zone = options.SingleAvailabilityZone === true ? pool.zone.name : '';
      const group = keys.get(`${type}/${zone}`) ?? [];
      group.push(pool);
      keys.set(`${type}/${zone}`, group);
    }
    let best: Decision | undefined;
    const shortages = new Map<FleetPool, Shortage>();
    for (const group of this.preferred(purchase, [...keys.values()])) {
      const decision = this.fill({ ...purchase, pools: group });
      for (const [pool, shortage] of decision.shortages) shortages.set(pool, shortage);
      if (best === undefined || decision.units > best.units) best = decision;
      if (best.units >= purchase.target) break;
    }
    return { shares: best?.shares ?? [], units: best?.units ?? 0, shortages };
  }

  /** Groups in the order of their best pool. */
  private preferred(purchase: Purchase, groups: FleetPool[][]): FleetPool[][] {
    const rank = new Map(this.ordered(purchase).map((pool, index) => [pool, index]));
    const best = (group: FleetPool[]): number => Math.min(...group.map((pool) => rank.get(pool) ?? 0));
    return groups.sort((a, b) => best(a) - best(b));
  }

  private ordered(purchase: Purchase): FleetPool[] {
    const strategy = purchase.options.AllocationStrategy ?? 'lowest-price';
    const now = this.context.clock.now();
    return order(purchase.pools, strategy, purchase.lifecycle, purchase.target, this.capacity, now);
  }

  /** Goes along the pools until the target is met; a pool that has no more is left with its reason. */
  private fill(purchase: Purchase): Decision {
    const { lifecycle, target, options } = purchase;
    const shortages = new Map<FleetPool, Shortage>();
    let open = this.ordered(purchase).filter((pool) => {
      const shortage = this.unusable(pool, lifecycle);
      if (shortage !== undefined) shortages.set(pool, shortage);
      return shortage === undefined;
    });
    const shares = new Map<FleetPool, Share>();
    const spread = spreadOver(options, lifecycle, open.length);
    let units = 0;
    for (let turn = 0; units < target && open.length > 0; turn++) {
      const pool = open[turn % Math.min(spread, open.length)];
      if (pool === undefined) break;
      const share = shares.get(pool) ?? { pool, instances: 0 };
      const shortage = this.shortage(share, lifecycle, shares);
      if (shortage === undefined) {
        share.instances += 1;
        shares.set(pool, share);
        units += pool.weight;
        continue;
      }
      shortages.set(pool, shortage);
      open = open.filter((each) => each !== pool);
    }
    return { shares: [...shares.values()], shortages, units };
  }

  /** Why a pool can never serve: its type is none, does not suit the image, or costs more than the override allows. */
  private unusable(pool: FleetPool, lifecycle: Lifecycle): Shortage | undefined {
    const wrong = mismatch(pool.instanceType, pool.template.data);
    if (wrong !== undefined) return { code: 'InvalidParameterValue', message: wrong };
    const maximum = pool.override?.MaxPrice;
    if (lifecycle === 'on-demand' || maximum === undefined) return undefined;
    const price = priceOf(pool, lifecycle, this.context.clock.now());
    if (price <= Number(maximum)) return undefined;
    return {
      code: 'SpotMaxPriceTooLow',
      message: `Your Spot request price of ${maximum} is lower than the minimum required Spot request fulfillment price of ${price}.`,
    };
  }

  /** Several overrides may draw on one (type, zone): what they were promised counts already. */
  private shortage(
    share: Share,
    lifecycle: Lifecycle,
    shares: ReadonlyMap<FleetPool, Share>,
  ): Shortage | undefined {
    const { instanceType, zone } = share.pool;
    const shortage = this.capacity.shortage(instanceType, zone.name, lifecycle);
    if (shortage !== undefined) return shortage;
    let promised = 0;
    for (const other of shares.values()) {
      const same = other.pool.instanceType === instanceType && other.pool.zone === zone;
      if (same) promised += other.instances;
    }
    if (promised < this.capacity.left(instanceType, zone.name, lifecycle)) return undefined;
    return this.capacity.exhausted(instanceType, zone.name, lifecycle);
  }

  private launch(purchase: Purchase, share: Share): { ids: string[]; shortage?: Shortage } {
    const { pool } = share;
    const { template, instanceType, zone } = pool;
    const reservationId = `r-0${this.context.hex(16)}`;
    const spec = launchSpec(
      {
        ...template.data,
        ...(pool.override?.ImageId === undefined ? {} : { ImageId: pool.override.ImageId }),
      },
      {
        instanceType,
        zone,
        lifecycle: purchase.lifecycle,
        tags: { ...templateTags(template.record, template.version), ...purchase.tags },
      },
    );
    const ids: string[] = [];
    for (let index = 0; index < share.instances; index++) {
      // Asked again: account limits count the instances launched just now.
      const shortage = this.capacity.shortage(instanceType, zone.name, purchase.lifecycle);
      if (shortage !== undefined) return { ids, shortage };
      const record = this.instances.launch(spec, reservationId, index);
      if (record === undefined) return { ids, shortage: noAddress(zone.subnetId) };
      ids.push(record.instanceId);
    }
    return { ids };
  }
}

/** How many of the best pools take turns. */
function spreadOver(options: Options, lifecycle: Lifecycle, pools: number): number {
  if (lifecycle === 'on-demand') return 1;
  if (options.AllocationStrategy === 'diversified') return Math.max(1, pools);
  const isLowest = options.AllocationStrategy === undefined || options.AllocationStrategy === 'lowest-price';
  return isLowest ? Math.max(1, options.InstancePoolsToUseCount ?? 1) : 1;
}

export const noAddress = (subnetId: string): Shortage => ({
  code: 'InsufficientFreeAddressesInSubnet',
  message: `There are not enough free addresses in subnet '${subnetId}' to satisfy the requested number of instances.`,
});

/** The override as it was given, with the zone or subnet that the pool stands for. */
function templateAndOverrides(pool: FleetPool): LaunchTemplateAndOverridesResponse {
  const { record, version } = pool.template;
  return {
    LaunchTemplateSpecification: { LaunchTemplateId: record.id, Version: String(version) },
    Overrides: {
      ...(pool.override as FleetLaunchTemplateOverrides | undefined),
      InstanceType: pool.instanceType as InstanceTypeName,
      SubnetId: pool.zone.subnetId,
      AvailabilityZone: pool.zone.name,
    },
  };
}

const fleetError = (pool: FleetPool, lifecycle: Lifecycle, shortage: Shortage): CreateFleetError => ({
  LaunchTemplateAndOverrides: templateAndOverrides(pool),
  Lifecycle: lifecycle,
  ErrorCode: shortage.code,
  ErrorMessage: shortage.message,
});

const fleetInstance = (
  pool: FleetPool,
  lifecycle: Lifecycle,
  InstanceIds: string[],
): CreateFleetInstance => ({
  LaunchTemplateAndOverrides: templateAndOverrides(pool),
  Lifecycle: lifecycle,
  InstanceIds,
  InstanceType: pool.instanceType as InstanceTypeName,
  AvailabilityZone: pool.zone.name,
  AvailabilityZoneId: pool.zone.zoneId,
  SubnetId: pool.zone.subnetId,
});
