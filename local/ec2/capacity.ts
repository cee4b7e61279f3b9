import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { instanceTypes } from './instanceTypes.ts';
import type { Lifecycle } from './records.ts';

/** Running vCPUs of the account; absent for no limit. */
export interface VcpuLimits {
  readonly onDemand?: number;
  readonly spot?: number;
}

/** Why a launch could not be had: a code and a sentence of EC2. */
export interface Shortage {
  readonly code: string;
  readonly message: string;
}

const keyOf = (type: string, zone: string, lifecycle: Lifecycle): string => `${type}/${zone}/${lifecycle}`;

const vcpusOf = (type: string): number => instanceTypes.get(type)?.vcpus ?? 0;

/**
 * What EC2 has to sell. Unlimited until told otherwise, by a count for a (type, zone, lifecycle), by the account's vCPU
 * limits, or by an `error` fault at `ec2.capacity` asked with `<type>/<zone>/<lifecycle>`.
 */
export class Capacity {
  private readonly context: EngineContext;
  private readonly limits: VcpuLimits;
  /** Instances that may exist at once, by key. */
  private readonly sizes: Collection<number>;
  private readonly used = new Map<string, number>();
  private readonly vcpus = { spot: 0, 'on-demand': 0 };

  constructor(context: EngineContext, limits: VcpuLimits) {
    this.context = context;
    this.limits = limits;
    this.sizes = context.state.collection('ec2.capacity');
  }

  /** How many instances of this kind may exist at once; undefined lifts the bound. */
  set(type: string, zone: string, lifecycle: Lifecycle, instances: number | undefined): void {
    const key = keyOf(type, zone, lifecycle);
    if (instances === undefined) this.sizes.delete(key);
    else this.sizes.set(key, instances);
  }

  /** How many more there are to be had; infinite when nobody set a bound. */
  left(type: string, zone: string, lifecycle: Lifecycle): number {
    const key = keyOf(type, zone, lifecycle);
    const size = this.sizes.get(key);
    return size === undefined ? Number.POSITIVE_INFINITY : Math.max(0, size - (this.used.get(key) ?? 0));
  }

  /** Why one more instance cannot be had; undefined when it can. */
  shortage(type: string, zone: string, lifecycle: Lifecycle): Shortage | undefined {
    const fault = this.context.faults.at('ec2.capacity', keyOf(type, zone, lifecycle));
    if (fault?.kind === 'error') return { code: fault.code, message: fault.message };
    if (this.left(type, zone, lifecycle) < 1) return this.exhausted(type, zone, lifecycle);
    const limit = lifecycle === 'spot' ? this.limits.spot : this.limits.onDemand;
    if (limit === undefined || this.vcpus[lifecycle] + vcpusOf(type) <= limit) return undefined;
    return lifecycle === 'spot'
      ? { code: 'MaxSpotInstanceCountExceeded', message: 'Max spot instance count exceeded' }
      : {
          code: 'VcpuLimitExceeded',
          message: `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the specified instance type belongs to.`,
        };
  }

  /** An instance has come (1) or gone (-1). */
  count(type: string, zone: string, lifecycle: Lifecycle, by: 1 | -1): void {
    const key = keyOf(type, zone, lifecycle);
    this.used.set(key, (this.used.get(key) ?? 0) + by);
    this.vcpus[lifecycle] += by * vcpusOf(type);
  }

  exhausted(type: string, zone: string, lifecycle: Lifecycle): Shortage {
    return {
      code: 'InsufficientInstanceCapacity',
      message:
        lifecycle === 'spot'
          ? 'There is no Spot capacity available that matches your request.'
          : `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (${zone}). Our system will be working on provisioning additional capacity.`,
    };
  }
}
