import type { CreateFleetCommandInput } from '@aws-sdk/client-ec2';
import { ec2Error, invalidValue, missing } from './errors.ts';

/** EC2 quotas of one fleet. */
const MAX_TARGET = 10_000;
const MAX_CONFIGS = 50;
const MAX_OVERRIDES = 300;

const spotStrategies: readonly (string | undefined)[] = [
  undefined,
  'lowest-price',
  'diversified',
  'capacity-optimized',
  'capacity-optimized-prioritized',
  'price-capacity-optimized',
];
const onDemandStrategies: readonly (string | undefined)[] = [undefined, 'lowest-price', 'prioritized'];

/** Throws for a request that EC2 refuses as a whole, or that the embedded AWS does not carry out. */
export function checkFleet(input: CreateFleetCommandInput): void {
  const type = input.Type ?? 'maintain';
  if (type !== 'instant') {
    throw ec2Error(
      'UnsupportedOperation',
      `Fleets of type '${type}' are not supported by the embedded AWS: use 'instant'.`,
    );
  }
  const configs = input.LaunchTemplateConfigs ?? [];
  if (configs.length === 0) throw missing('LaunchTemplateConfigs');
  if (configs.length > MAX_CONFIGS)
    throw invalidValue(`A fleet has at most ${MAX_CONFIGS} launch templates.`);
  const overrides = configs.flatMap((config) => config.Overrides ?? []);
  if (overrides.length > MAX_OVERRIDES) {
    throw invalidValue(`A fleet of type instant has at most ${MAX_OVERRIDES} launch template overrides.`);
  }
  for (const override of overrides) {
    if (override.InstanceRequirements !== undefined) {
      throw ec2Error('UnsupportedOperation', 'InstanceRequirements are not supported by the embedded AWS.');
    }
    const weight = override.WeightedCapacity ?? 1;
    if (weight <= 0 || weight > 999) throw invalidValue(`Invalid WeightedCapacity ${weight}.`);
  }
  if (!spotStrategies.includes(input.SpotOptions?.AllocationStrategy)) {
    throw invalidValue(`Invalid Spot allocation strategy '${input.SpotOptions?.AllocationStrategy}'.`);
  }
  if (!onDemandStrategies.includes(input.OnDemandOptions?.AllocationStrategy)) {
    throw invalidValue(
      `Invalid On-Demand allocation strategy '${input.OnDemandOptions?.AllocationStrategy}'.`,
    );
  }
  for (const options of [input.SpotOptions, input.OnDemandOptions]) {
    if (options?.MinTargetCapacity === undefined) continue;
    if (options.SingleInstanceType === true || options.SingleAvailabilityZone === true) continue;
    throw invalidValue('MinTargetCapacity requires SingleInstanceType or SingleAvailabilityZone.');
  }
  checkTargets(input);
}

function checkTargets(input: CreateFleetCommandInput): void {
  const target = input.TargetCapacitySpecification;
  if (target?.TotalTargetCapacity === undefined)
    throw missing('TargetCapacitySpecification.TotalTargetCapacity');
  const { TotalTargetCapacity: total, OnDemandTargetCapacity = 0, SpotTargetCapacity = 0 } = target;
  if (total < 1) throw invalidValue('TotalTargetCapacity must be at least 1 for a fleet of type instant.');
  if (total > MAX_TARGET) {
    throw ec2Error('MaxFleetCapacityExceeded', `A fleet has a target capacity of at most ${MAX_TARGET}.`);
  }
  if (OnDemandTargetCapacity + SpotTargetCapacity > total) {
    throw invalidValue('The On-Demand and Spot target capacities exceed the total target capacity.');
  }
  if (target.TargetCapacityUnitType !== undefined && target.TargetCapacityUnitType !== 'units') {
    throw ec2Error(
      'UnsupportedOperation',
      'Only TargetCapacityUnitType units is supported by the embedded AWS.',
    );
  }
}

/** What is not asked for by either name is of the default type, which is On-Demand unless the request says otherwise. */
export function fleetTargets(input: CreateFleetCommandInput): {
  readonly onDemand: number;
  readonly spot: number;
} {
  const target = input.TargetCapacitySpecification;
  const total = target?.TotalTargetCapacity ?? 0;
  const onDemand = target?.OnDemandTargetCapacity ?? 0;
  const spot = target?.SpotTargetCapacity ?? 0;
  const rest = Math.max(0, total - onDemand - spot);
  return target?.DefaultTargetCapacityType === 'spot'
    ? { onDemand, spot: spot + rest }
    : { onDemand: onDemand + rest, spot };
}
