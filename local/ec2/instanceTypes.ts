import { readFileSync } from 'node:fs';
import type {
  DescribeInstanceTypeOfferingsCommandInput,
  DescribeInstanceTypeOfferingsCommandOutput,
  DescribeInstanceTypesCommandInput,
  DescribeInstanceTypesCommandOutput,
  InstanceTypeInfo,
  _InstanceType as InstanceTypeName,
} from '@aws-sdk/client-ec2';
import { ec2Error } from './errors.ts';
import { type Fields, matchesFilters, parseFilters } from './filters.ts';
import { zones } from './network.ts';
import { offsetPage } from './pages.ts';

export interface InstanceType {
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly vcpus: number;
  readonly memoryMiB: number;
  /** On-Demand, Linux. */
  readonly usdPerHour: number;
  readonly networkMbps: number;
  readonly ebsMbps: number;
  readonly nvmeGb: number;
  readonly metal: boolean;
  readonly enis: number;
  readonly ipv4PerEni: number;
  readonly gpus: number;
  readonly gpuMemoryMiB: number;
  readonly gpuName: string;
}

type Row = readonly (string | number)[];

function load(): ReadonlyMap<string, InstanceType> {
  const file = new URL('./data/instance-types.json', import.meta.url);
  const { columns, rows } = JSON.parse(readFileSync(file, 'utf8')) as { columns: string[]; rows: Row[] };
  const types = new Map<string, InstanceType>();
  for (const row of rows) {
    const text = (column: string): string => String(row[columns.indexOf(column)] ?? '');
    const number = (column: string): number => Number(row[columns.indexOf(column)] ?? 0);
    const name = text('type');
    types.set(name, {
      name,
      architecture: text('arch') === 'arm64' ? 'arm64' : 'x86_64',
      vcpus: number('vcpus'),
      memoryMiB: number('memoryMiB'),
      usdPerHour: number('usdPerHour'),
      networkMbps: number('networkMbps'),
      ebsMbps: number('ebsMbps'),
      nvmeGb: number('nvmeGb'),
      metal: number('metal') === 1,
      enis: number('enis'),
      ipv4PerEni: number('ipv4PerEni'),
      gpus: number('gpus'),
      gpuMemoryMiB: number('gpuMemoryMiB'),
      gpuName: text('gpuName'),
    });
  }
  return types;
}

/** All types of us-east-1, by name, in alphabetical order. Every zone here offers all of them. */
export const instanceTypes: ReadonlyMap<string, InstanceType> = load();

/** Generations EC2 itself calls previous. */
const PREVIOUS = /^(a1|c1|c3|c4|g2|i2|m1|m2|m3|m4|r3|r4|t1)\./;
const isBurstable = (name: string): boolean => /^t\d/.test(name);

const fieldsOf = (type: InstanceType): Fields => ({
  'bare-metal': [String(type.metal)],
  'burstable-performance-supported': [String(isBurstable(type.name))],
  'current-generation': [String(!PREVIOUS.test(type.name))],
  hypervisor: type.metal ? [] : ['nitro'],
  'instance-storage-supported': [String(type.nvmeGb > 0)],
  'instance-type': [type.name],
  'memory-info.size-in-mib': [String(type.memoryMiB)],
  'processor-info.supported-architecture': [type.architecture],
  'supported-usage-class': ['on-demand', 'spot'],
  'vcpu-info.default-vcpus': [String(type.vcpus)],
});

function describe(type: InstanceType): InstanceTypeInfo {
  return {
    InstanceType: type.name as InstanceTypeName,
    CurrentGeneration: !PREVIOUS.test(type.name),
    FreeTierEligible: type.name === 't2.micro' || type.name === 't3.micro',
    SupportedUsageClasses: ['on-demand', 'spot'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: type.metal,
    ...(type.metal ? {} : { Hypervisor: 'nitro' as const }),
    ProcessorInfo: { SupportedArchitectures: [type.architecture] },
    VCpuInfo: { DefaultVCpus: type.vcpus },
    MemoryInfo: { SizeInMiB: type.memoryMiB },
    InstanceStorageSupported: type.nvmeGb > 0,
    ...(type.nvmeGb > 0 ? { InstanceStorageInfo: { TotalSizeInGB: type.nvmeGb } } : {}),
    ...(type.ebsMbps > 0
      ? {
          EbsInfo: {
            EbsOptimizedSupport: 'default',
            EbsOptimizedInfo: { BaselineBandwidthInMbps: type.ebsMbps, MaximumBandwidthInMbps: type.ebsMbps },
          },
        }
      : {}),
    NetworkInfo: {
      NetworkPerformance: type.networkMbps >= 1000 ? `${type.networkMbps / 1000} Gigabit` : 'Moderate',
      MaximumNetworkInterfaces: type.enis,
      Ipv4AddressesPerInterface: type.ipv4PerEni,
    },
    ...(type.gpus > 0
      ? {
          GpuInfo: {
            Gpus: [{ Name: type.gpuName, Count: type.gpus, MemoryInfo: { SizeInMiB: type.gpuMemoryMiB } }],
            TotalGpuMemoryInMiB: type.gpus * type.gpuMemoryMiB,
          },
        }
      : {}),
    BurstablePerformanceSupported: isBurstable(type.name),
  };
}

export function describeInstanceTypes(
  input: DescribeInstanceTypesCommandInput,
): Omit<DescribeInstanceTypesCommandOutput, '$metadata'> {
  const named = input.InstanceTypes ?? [];
  const unknown = named.filter((name) => !instanceTypes.has(name));
  if (unknown.length > 0) {
    throw ec2Error(
      'InvalidInstanceType',
      `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
    );
  }
  const filters = parseFilters(input.Filters, Object.keys(fieldsOf(anyType())));
  const all =
    named.length > 0 ? named.flatMap((name) => instanceTypes.get(name) ?? []) : [...instanceTypes.values()];
  const found = all.filter((type) => matchesFilters(filters, fieldsOf(type)));
  const page = offsetPage(found, input, named.length > 0 ? Math.max(100, named.length) : 100);
  return { InstanceTypes: page.items.map(describe), NextToken: page.nextToken };
}

function anyType(): InstanceType {
  const [first] = instanceTypes.values();
  if (first === undefined) throw new Error('the instance type table is empty');
  return first;
}

export function describeInstanceTypeOfferings(
  input: DescribeInstanceTypeOfferingsCommandInput,
  region: string,
): Omit<DescribeInstanceTypeOfferingsCommandOutput, '$metadata'> {
  const locationType = input.LocationType ?? 'region';
  const filters = parseFilters(input.Filters, ['instance-type', 'location']);
  const locations =
    locationType === 'region'
      ? [region]
      : zones.map((zone) => (locationType === 'availability-zone-id' ? zone.zoneId : zone.name));
  const offerings = [...instanceTypes.keys()].flatMap((name) =>
    locations.map((location) => ({ name, location })),
  );
  const found = offerings.filter(({ name, location }) =>
    matchesFilters(filters, { 'instance-type': [name], location: [location] }),
  );
  const page = offsetPage(found, input, 1000);
  return {
    InstanceTypeOfferings: page.items.map(({ name, location }) => ({
      InstanceType: name as InstanceTypeName,
      LocationType: locationType,
      Location: location,
    })),
    NextToken: page.nextToken,
  };
}
