import { DescribeInstanceTypesCommand, type InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { hostCapacity } from '../../domain/capacity/hostCapacity.ts';
import type { InstanceType, Pool } from '../../domain/model/pool.ts';
import type { Machines } from '../../ports/machines.ts';
import prices from '../data/prices.json' with { type: 'json' };
import { allPages, chunks } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ec2 } from './ec2.ts';
import { readSpotPrices } from './spotPrices.ts';

const PAGE = 100;
/** Values that one filter of a Describe call takes. */
const MAX_PATTERNS = 200;
/** EC2 samples Spot prices every few minutes at most. */
const SPOT_MS = 300_000;
const MAX_REMEMBERED = 64;

/** On-Demand list prices for Linux in one Region, both named in the file: elsewhere the sums differ, the order hardly. */
const onDemand: Readonly<Record<string, number>> = prices.usdPerHour;

function toType(info: InstanceTypeInfo): InstanceType[] {
  const name = info.InstanceType;
  const usdPerHour = name === undefined ? undefined : onDemand[name];
  const vcpus = info.VCpuInfo?.DefaultVCpus;
  const memoryMiB = info.MemoryInfo?.SizeInMiB;
  const architecture = (['x86_64', 'arm64'] as const).find((each) =>
    info.ProcessorInfo?.SupportedArchitectures?.includes(each),
  );
  // A type without a price cannot be compared, one without the rest cannot be a host.
  if (name === undefined || usdPerHour === undefined || !vcpus || !memoryMiB || architecture === undefined)
    return [];
  const gpus = (info.GpuInfo?.Gpus ?? []).reduce((sum, { Count = 0 }) => sum + Count, 0);
  // One interface is the host's own. With trunking there are more; an account has to switch that on.
  const maxTaskEnis = Math.max(0, (info.NetworkInfo?.MaximumNetworkInterfaces ?? 1) - 1);
  return [
    {
      name,
      architecture,
      capacity: hostCapacity({ vcpus, memoryMiB, gpus, taskEnis: maxTaskEnis }),
      usdPerHour,
      maxTaskEnis,
    },
  ];
}

async function readTypes(ec2: Ec2, patterns: readonly string[]): Promise<InstanceType[]> {
  const types: InstanceType[] = [];
  for (const values of chunks(patterns, MAX_PATTERNS)) {
    const found = await allPages(async (token) => {
      const input = {
        Filters: [{ Name: 'instance-type', Values: values }],
        MaxResults: PAGE,
        ...(token && { NextToken: token }),
      };
      const answer = await repeatRead(ec2.sleep, () =>
        ec2.client.send(new DescribeInstanceTypesCommand(input)),
      );
      return { items: answer.InstanceTypes ?? [], next: answer.NextToken };
    });
    types.push(...found.flatMap(toType));
  }
  return [...new Map(types.map((type) => [type.name, type])).values()];
}

/** Types never change while a process lives and are read once; Spot prices are read again when they have aged. */
export function createTypeReader(ec2: Ec2): Machines['instanceTypes'] {
  const types = new Map<string, Promise<InstanceType[]>>();
  const spot = new Map<string, { readonly until: number; readonly prices: ReadonlyMap<string, number> }>();

  const typesOf = (patterns: readonly string[]): Promise<InstanceType[]> => {
    const key = patterns.join(' ');
    const known = types.get(key);
    if (known) return known;
    if (types.size >= MAX_REMEMBERED) types.clear();
    const reading = readTypes(ec2, patterns);
    types.set(key, reading);
    reading.catch(() => types.delete(key));
    return reading;
  };

  const spotOf = async (
    pools: readonly Pool[],
    names: readonly string[],
  ): Promise<ReadonlyMap<string, number>> => {
    const zones = [...new Set(pools.flatMap(({ zones }) => zones))].sort();
    const key = [...zones, ...names].join(' ');
    const known = spot.get(key);
    if (known && ec2.clock.now() < known.until) return known.prices;
    const read = await readSpotPrices(ec2, names, zones);
    if (spot.size >= MAX_REMEMBERED) spot.clear();
    spot.set(key, { until: ec2.clock.now() + SPOT_MS, prices: read });
    return read;
  };

  return async (pools) => {
    const patterns = [...new Set(pools.flatMap(({ instanceTypes }) => instanceTypes))].sort();
    if (patterns.length === 0) return [];
    const all = await typesOf(patterns);
    const spotPools = pools.filter(({ lifecycles }) => lifecycles.includes('spot'));
    if (spotPools.length === 0) return all;
    const spotPrices = await spotOf(
      spotPools,
      all.map(({ name }) => name),
    );
    return all.map((type) => {
      const spotUsdPerHour = spotPrices.get(type.name);
      return spotUsdPerHour === undefined ? type : { ...type, spotUsdPerHour };
    });
  };
}
