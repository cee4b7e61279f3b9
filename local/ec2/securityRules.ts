import type { IpPermission, SecurityGroupRule } from '@aws-sdk/client-ec2';
import { ec2Error } from './errors.ts';
import type { Tags } from './records.ts';

/** One rule: a protocol, a port range and one source or destination. */
export interface Rule {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  /** `tcp`, `udp`, `icmp`, a number, or `-1` for all. */
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly cidr?: string;
  readonly groupId?: string;
  readonly prefixListId?: string;
  readonly description: string;
  readonly tags: Tags;
}

export type NewRule = Omit<Rule, 'id' | 'tags'>;

/** Requests carry permissions in a list, or one of them spread over the request itself. */
interface RuleInput {
  readonly IpPermissions?: readonly IpPermission[] | undefined;
  readonly IpProtocol?: string | undefined;
  readonly FromPort?: number | undefined;
  readonly ToPort?: number | undefined;
  readonly CidrIp?: string | undefined;
}

/** One rule for every source or destination of every permission. */
export function rulesOf(direction: Rule['direction'], input: RuleInput): NewRule[] {
  const { IpProtocol, FromPort, ToPort, CidrIp } = input;
  const own = CidrIp === undefined ? [] : [{ IpProtocol, FromPort, ToPort, IpRanges: [{ CidrIp }] }];
  return [...(input.IpPermissions ?? []), ...own].flatMap((permission) =>
    ofPermission(direction, permission),
  );
}

function ofPermission(direction: Rule['direction'], permission: IpPermission): NewRule[] {
  const base = { direction, ...portsOf(permission) };
  const rules: NewRule[] = [];
  for (const { CidrIp: cidr, Description } of permission.IpRanges ?? []) {
    if (cidr === undefined || !isCidr(cidr)) {
      throw ec2Error('InvalidParameterValue', `CIDR block ${cidr} is malformed`);
    }
    rules.push({ ...base, cidr, description: Description ?? '' });
  }
  for (const { CidrIpv6: cidr, Description } of permission.Ipv6Ranges ?? []) {
    if (cidr !== undefined) rules.push({ ...base, cidr, description: Description ?? '' });
  }
  for (const { GroupId: groupId, Description } of permission.UserIdGroupPairs ?? []) {
    if (groupId !== undefined) rules.push({ ...base, groupId, description: Description ?? '' });
  }
  for (const { PrefixListId: prefixListId, Description } of permission.PrefixListIds ?? []) {
    if (prefixListId !== undefined) rules.push({ ...base, prefixListId, description: Description ?? '' });
  }
  return rules;
}

function isCidr(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) return false;
  return match.slice(1, 5).every((part) => Number(part) <= 255) && Number(match[5]) <= 32;
}

function portsOf(permission: IpPermission): Pick<Rule, 'protocol' | 'fromPort' | 'toPort'> {
  const numbers: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '1': 'icmp' };
  const given = permission.IpProtocol ?? '-1';
  const protocol = numbers[given] ?? given;
  if (protocol === '-1') return { protocol };
  const { FromPort: fromPort, ToPort: toPort } = permission;
  const needsPorts = protocol === 'tcp' || protocol === 'udp';
  if (
    needsPorts &&
    (fromPort === undefined || toPort === undefined || fromPort > toPort || toPort > 65_535)
  ) {
    throw ec2Error('InvalidParameterValue', `Invalid port range: ${fromPort ?? ''}-${toPort ?? ''}`);
  }
  return {
    protocol,
    ...(fromPort === undefined ? {} : { fromPort }),
    ...(toPort === undefined ? {} : { toPort }),
  };
}

/** Descriptions do not make rules different. */
export const sameRule = (a: NewRule, b: NewRule): boolean =>
  a.direction === b.direction &&
  a.protocol === b.protocol &&
  a.fromPort === b.fromPort &&
  a.toPort === b.toPort &&
  a.cidr === b.cidr &&
  a.groupId === b.groupId &&
  a.prefixListId === b.prefixListId;

const isIpv6 = (cidr: string): boolean => cidr.includes(':');

export function describeRule(rule: Rule, groupId: string, accountId: string): SecurityGroupRule {
  return {
    SecurityGroupRuleId: rule.id,
    GroupId: groupId,
    GroupOwnerId: accountId,
    IsEgress: rule.direction === 'egress',
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort ?? -1,
    ToPort: rule.toPort ?? -1,
    ...(rule.cidr === undefined ? {} : { [isIpv6(rule.cidr) ? 'CidrIpv6' : 'CidrIpv4']: rule.cidr }),
    ...(rule.groupId === undefined
      ? {}
      : { ReferencedGroupInfo: { GroupId: rule.groupId, UserId: accountId } }),
    ...(rule.prefixListId === undefined ? {} : { PrefixListId: rule.prefixListId }),
    ...(rule.description === '' ? {} : { Description: rule.description }),
    Tags: Object.entries(rule.tags).map(([Key, Value]) => ({ Key, Value })),
  };
}

/** Rules put together by protocol and ports, as DescribeSecurityGroups shows them. */
export function permissionsOf(
  rules: readonly Rule[],
  direction: Rule['direction'],
  accountId: string,
): IpPermission[] {
  const groups = Map.groupBy(
    rules.filter((rule) => rule.direction === direction),
    (rule) => `${rule.protocol} ${rule.fromPort} ${rule.toPort}`,
  );
  return [...groups.values()].map((group) => {
    const described = (rule: Rule): { Description?: string } =>
      rule.description === '' ? {} : { Description: rule.description };
    const [first] = group;
    return {
      IpProtocol: first?.protocol,
      FromPort: first?.fromPort,
      ToPort: first?.toPort,
      IpRanges: group.flatMap((rule) =>
        rule.cidr === undefined || isIpv6(rule.cidr) ? [] : [{ CidrIp: rule.cidr, ...described(rule) }],
      ),
      Ipv6Ranges: group.flatMap((rule) =>
        rule.cidr === undefined || !isIpv6(rule.cidr) ? [] : [{ CidrIpv6: rule.cidr, ...described(rule) }],
      ),
      UserIdGroupPairs: group.flatMap((rule) =>
        rule.groupId === undefined ? [] : [{ GroupId: rule.groupId, UserId: accountId, ...described(rule) }],
      ),
      PrefixListIds: group.flatMap((rule) =>
        rule.prefixListId === undefined ? [] : [{ PrefixListId: rule.prefixListId, ...described(rule) }],
      ),
    };
  });
}
