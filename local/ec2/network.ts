import type {
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
  DescribeSubnetsCommandInput,
  DescribeSubnetsCommandOutput,
  DescribeVpcsCommandInput,
  DescribeVpcsCommandOutput,
  Subnet,
} from '@aws-sdk/client-ec2';
import { ec2Error } from './errors.ts';
import { matchesFilters, parseFilters } from './filters.ts';
import { offsetPage } from './pages.ts';

/** The account's default VPC, the same on every machine so that templates and tests can name it. */
export const DEFAULT_VPC_ID = 'vpc-0be27400000000000';
export const DEFAULT_SECURITY_GROUP_ID = 'sg-0be27400000000000';

export interface Zone {
  readonly name: string;
  readonly zoneId: string;
  readonly subnetId: string;
  /** The first address of the subnet's /20, as a number. */
  readonly base: number;
}

const subnetBase = (thirdOctet: number): number => ((172 * 256 + 31) * 256 + thirdOctet) * 256;

export const zones: readonly Zone[] = [
  { name: 'us-east-1a', zoneId: 'use1-az1', subnetId: 'subnet-0be2740000000000a', base: subnetBase(0) },
  { name: 'us-east-1b', zoneId: 'use1-az2', subnetId: 'subnet-0be2740000000000b', base: subnetBase(16) },
  { name: 'us-east-1c', zoneId: 'use1-az4', subnetId: 'subnet-0be2740000000000c', base: subnetBase(32) },
];

/** A /20 less the five addresses AWS keeps. */
const ADDRESSES = 4091;
const FIRST = 4;

export const zoneNamed = (name: string): Zone | undefined => zones.find((zone) => zone.name === name);
export const zoneOfSubnet = (subnetId: string): Zone | undefined =>
  zones.find((zone) => zone.subnetId === subnetId);

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

/** Private addresses of one subnet; an instance gives its own back when it is terminated. */
export class Addresses {
  private readonly taken = new Map<string, Set<number>>();
  private readonly next = new Map<string, number>();

  /** Undefined when the subnet has none left. */
  take(zone: Zone): string | undefined {
    const taken = this.takenOf(zone);
    if (taken.size >= ADDRESSES) return undefined;
    let offset = this.next.get(zone.subnetId) ?? 0;
    while (taken.has(offset)) offset = (offset + 1) % ADDRESSES;
    taken.add(offset);
    this.next.set(zone.subnetId, (offset + 1) % ADDRESSES);
    return dotted(zone.base + FIRST + offset);
  }

  /** Marks an address that a record holds. */
  hold(zone: Zone, address: string): void {
    this.takenOf(zone).add(offsetOf(zone, address));
  }

  release(zone: Zone, address: string): void {
    this.takenOf(zone).delete(offsetOf(zone, address));
  }

  free(zone: Zone): number {
    return ADDRESSES - this.takenOf(zone).size;
  }

  private takenOf(zone: Zone): Set<number> {
    const known = this.taken.get(zone.subnetId) ?? new Set<number>();
    this.taken.set(zone.subnetId, known);
    return known;
  }
}

const offsetOf = (zone: Zone, address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - zone.base - FIRST;

export function describeZones(
  input: DescribeAvailabilityZonesCommandInput,
  region: string,
): Omit<DescribeAvailabilityZonesCommandOutput, '$metadata'> {
  const filters = parseFilters(input.Filters, ['zone-name', 'zone-id', 'state', 'region-name', 'zone-type']);
  const wanted = zones.filter(
    (zone) =>
      (input.ZoneNames === undefined || input.ZoneNames.includes(zone.name)) &&
      matchesFilters(filters, {
        'zone-name': [zone.name],
        'zone-id': [zone.zoneId],
        state: ['available'],
        'region-name': [region],
        'zone-type': ['availability-zone'],
      }),
  );
  return {
    AvailabilityZones: wanted.map((zone) => ({
      State: 'available',
      OptInStatus: 'opt-in-not-required',
      RegionName: region,
      ZoneName: zone.name,
      ZoneId: zone.zoneId,
      GroupName: region,
      NetworkBorderGroup: region,
      ZoneType: 'availability-zone',
    })),
  };
}

export function describeSubnets(
  input: DescribeSubnetsCommandInput,
  addresses: Addresses,
  accountId: string,
): Omit<DescribeSubnetsCommandOutput, '$metadata'> {
  const known = ['vpc-id', 'subnet-id', 'availability-zone', 'default-for-az', 'state', 'tag-key'];
  const filters = parseFilters(input.Filters, known);
  for (const id of input.SubnetIds ?? []) {
    if (zoneOfSubnet(id) === undefined) {
      throw ec2Error('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
    }
  }
  const wanted = zones.filter(
    (zone) =>
      ((input.SubnetIds ?? []).length === 0 || input.SubnetIds?.includes(zone.subnetId)) &&
      matchesFilters(filters, {
        'vpc-id': [DEFAULT_VPC_ID],
        'subnet-id': [zone.subnetId],
        'availability-zone': [zone.name],
        'default-for-az': ['true'],
        state: ['available'],
      }),
  );
  const page = offsetPage(wanted, input, 1000);
  return {
    Subnets: page.items.map(
      (zone): Subnet => ({
        SubnetId: zone.subnetId,
        VpcId: DEFAULT_VPC_ID,
        AvailabilityZone: zone.name,
        AvailabilityZoneId: zone.zoneId,
        CidrBlock: `${dotted(zone.base)}/20`,
        AvailableIpAddressCount: addresses.free(zone),
        DefaultForAz: true,
        MapPublicIpOnLaunch: false,
        State: 'available',
        OwnerId: accountId,
        Tags: [],
      }),
    ),
    NextToken: page.nextToken,
  };
}

export function describeVpcs(
  input: DescribeVpcsCommandInput,
  accountId: string,
): Omit<DescribeVpcsCommandOutput, '$metadata'> {
  const filters = parseFilters(input.Filters, [
    'vpc-id',
    'is-default',
    'isDefault',
    'state',
    'cidr',
    'tag-key',
  ]);
  for (const id of input.VpcIds ?? []) {
    if (id !== DEFAULT_VPC_ID) throw ec2Error('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`);
  }
  const fields = {
    'vpc-id': [DEFAULT_VPC_ID],
    'is-default': ['true'],
    isDefault: ['true'],
    state: ['available'],
    cidr: ['172.31.0.0/16'],
  };
  if (!matchesFilters(filters, fields)) return { Vpcs: [] };
  return {
    Vpcs: [
      {
        VpcId: DEFAULT_VPC_ID,
        IsDefault: true,
        CidrBlock: '172.31.0.0/16',
        State: 'available',
        InstanceTenancy: 'default',
        OwnerId: accountId,
        Tags: [],
      },
    ],
  };
}
