import type {
  AuthorizeSecurityGroupEgressCommandInput,
  AuthorizeSecurityGroupIngressCommandInput,
  AuthorizeSecurityGroupIngressCommandOutput,
  CreateSecurityGroupCommandInput,
  CreateSecurityGroupCommandOutput,
  DeleteSecurityGroupCommandInput,
  DescribeSecurityGroupRulesCommandInput,
  DescribeSecurityGroupRulesCommandOutput,
  DescribeSecurityGroupsCommandInput,
  DescribeSecurityGroupsCommandOutput,
  RevokeSecurityGroupEgressCommandInput,
  RevokeSecurityGroupIngressCommandInput,
} from '@aws-sdk/client-ec2';
import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { ec2Error, missing } from './errors.ts';
import { matchesFilters, parseFilters, tagFields } from './filters.ts';
import type { InstanceStore } from './instanceStore.ts';
import { DEFAULT_SECURITY_GROUP_ID, DEFAULT_VPC_ID } from './network.ts';
import { offsetPage } from './pages.ts';
import type { Tags } from './records.ts';
import { describeRule, permissionsOf, type Rule, rulesOf, sameRule } from './securityRules.ts';
import { tagList, tagsFor } from './tags.ts';

export interface SecurityGroupRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly rules: readonly Rule[];
  readonly tags: Tags;
}

/** EC2's default quota, inbound and outbound apart. */
const MAX_RULES = 60;

type Output<T> = Omit<T, '$metadata'>;
type Direction = 'ingress' | 'egress';

const everywhere = { protocol: '-1', cidr: '0.0.0.0/0', description: '', tags: {} } as const;

export class SecurityGroups {
  private readonly context: EngineContext;
  private readonly instances: InstanceStore;
  readonly records: Collection<SecurityGroupRecord>;

  constructor(context: EngineContext, instances: InstanceStore) {
    this.context = context;
    this.instances = instances;
    this.records = context.state.collection('ec2.securityGroups');
    if (this.records.get(DEFAULT_SECURITY_GROUP_ID) !== undefined) return;
    this.records.set(DEFAULT_SECURITY_GROUP_ID, {
      id: DEFAULT_SECURITY_GROUP_ID,
      name: 'default',
      description: 'default VPC security group',
      rules: [{ ...everywhere, id: 'sgr-0be27400000000000', direction: 'egress' }],
      tags: {},
    });
  }

  create(input: CreateSecurityGroupCommandInput): Output<CreateSecurityGroupCommandOutput> {
    const { GroupName: name, Description: description } = input;
    if (name === undefined || name === '') throw missing('GroupName');
    if (description === undefined || description === '') throw missing('GroupDescription');
    const vpcId = input.VpcId ?? DEFAULT_VPC_ID;
    if (vpcId !== DEFAULT_VPC_ID) {
      throw ec2Error('InvalidVpcID.NotFound', `The vpc ID '${vpcId}' does not exist`);
    }
    for (const group of this.records.values()) {
      if (group.name !== name) continue;
      throw ec2Error(
        'InvalidGroup.Duplicate',
        `The security group '${name}' already exists for VPC '${vpcId}'`,
      );
    }
    const record: SecurityGroupRecord = {
      id: `sg-0${this.context.hex(16)}`,
      name,
      description,
      rules: [{ ...everywhere, id: this.ruleId(), direction: 'egress' }],
      tags: tagsFor('security-group', input.TagSpecifications),
    };
    this.records.set(record.id, record);
    return { GroupId: record.id, Tags: tagList(record.tags) };
  }

  delete(input: DeleteSecurityGroupCommandInput): { Return: boolean; GroupId: string } {
    const record = this.find(input.GroupId, input.GroupName);
    if (record.id === DEFAULT_SECURITY_GROUP_ID) {
      throw ec2Error('CannotDelete', 'the specified group: "default" name: cannot be deleted by a user');
    }
    const isReferenced = [...this.records.values()].some(
      (other) => other.id !== record.id && other.rules.some((rule) => rule.groupId === record.id),
    );
    let isUsed = false;
    for (const instance of this.instances.all()) {
      isUsed ||= instance.state !== 'terminated' && instance.securityGroupIds.includes(record.id);
    }
    if (isReferenced || isUsed) {
      throw ec2Error('DependencyViolation', `resource ${record.id} has a dependent object`);
    }
    this.records.delete(record.id);
    return { Return: true, GroupId: record.id };
  }

  describe(input: DescribeSecurityGroupsCommandInput): Output<DescribeSecurityGroupsCommandOutput> {
    const known = ['group-id', 'group-name', 'vpc-id', 'description', 'tag-key'];
    const filters = parseFilters(input.Filters, known);
    const named = [
      ...(input.GroupIds ?? []).map((id) => this.find(id, undefined)),
      ...(input.GroupNames ?? []).map((name) => this.find(undefined, name)),
    ];
    const found = (named.length > 0 ? named : [...this.records.values()]).filter((record) =>
      matchesFilters(filters, {
        'group-id': [record.id],
        'group-name': [record.name],
        'vpc-id': [DEFAULT_VPC_ID],
        description: [record.description],
        ...tagFields(record.tags),
      }),
    );
    const page = offsetPage(found, input, 1000);
    return {
      SecurityGroups: page.items.map((record) => ({
        GroupId: record.id,
        GroupName: record.name,
        Description: record.description,
        OwnerId: this.context.accountId,
        VpcId: DEFAULT_VPC_ID,
        IpPermissions: permissionsOf(record.rules, 'ingress', this.context.accountId),
        IpPermissionsEgress: permissionsOf(record.rules, 'egress', this.context.accountId),
        Tags: tagList(record.tags),
      })),
      NextToken: page.nextToken,
    };
  }

  describeRules(
    input: DescribeSecurityGroupRulesCommandInput,
  ): Output<DescribeSecurityGroupRulesCommandOutput> {
    const filters = parseFilters(input.Filters, ['group-id', 'security-group-rule-id', 'tag-key']);
    const wanted = input.SecurityGroupRuleIds ?? [];
    const all = [...this.records.values()].flatMap((record) =>
      record.rules.map((rule) => ({ record, rule })),
    );
    const found = all.filter(
      ({ record, rule }) =>
        (wanted.length === 0 || wanted.includes(rule.id)) &&
        matchesFilters(filters, {
          'group-id': [record.id],
          'security-group-rule-id': [rule.id],
          ...tagFields(rule.tags),
        }),
    );
    const unknown = wanted.filter((id) => !all.some(({ rule }) => rule.id === id));
    if (unknown.length > 0) {
      throw ec2Error(
        'InvalidSecurityGroupRuleId.NotFound',
        `The security group rule ID '${unknown[0]}' does not exist`,
      );
    }
    const page = offsetPage(found, input, 1000);
    return {
      SecurityGroupRules: page.items.map(({ record, rule }) =>
        describeRule(rule, record.id, this.context.accountId),
      ),
      NextToken: page.nextToken,
    };
  }

  /** All of the request's rules or none: a duplicate or one too many refuses the whole. */
  authorize(
    direction: Direction,
    input: AuthorizeSecurityGroupIngressCommandInput | AuthorizeSecurityGroupEgressCommandInput,
  ): Output<AuthorizeSecurityGroupIngressCommandOutput> {
    const record = this.find(input.GroupId, 'GroupName' in input ? input.GroupName : undefined);
    const tags = tagsFor('security-group-rule', input.TagSpecifications);
    const added = rulesOf(direction, input).map((rule) => ({ ...rule, id: this.ruleId(), tags }));
    if (added.length === 0) throw missing('ipPermissions');
    const rules = [...record.rules];
    for (const rule of added) {
      if (rule.groupId !== undefined) this.find(rule.groupId, undefined);
      if (rules.some((other) => sameRule(other, rule))) {
        throw ec2Error('InvalidPermission.Duplicate', 'the specified rule already exists');
      }
      rules.push(rule);
    }
    if (rules.filter((rule) => rule.direction === direction).length > MAX_RULES) {
      throw ec2Error(
        'RulesPerSecurityGroupLimitExceeded',
        'The maximum number of rules per security group has been reached.',
      );
    }
    this.records.set(record.id, { ...record, rules });
    return {
      Return: true,
      SecurityGroupRules: added.map((rule) => describeRule(rule, record.id, this.context.accountId)),
    };
  }

  revoke(
    direction: Direction,
    input: RevokeSecurityGroupIngressCommandInput | RevokeSecurityGroupEgressCommandInput,
  ): { Return: boolean } {
    const record = this.find(input.GroupId, 'GroupName' in input ? input.GroupName : undefined);
    const ids = new Set(input.SecurityGroupRuleIds ?? []);
    const specified = rulesOf(direction, input);
    const isGone = (rule: Rule): boolean =>
      rule.direction === direction && (ids.has(rule.id) || specified.some((other) => sameRule(other, rule)));
    const kept = record.rules.filter((rule) => !isGone(rule));
    if (record.rules.length - kept.length < ids.size + specified.length) {
      throw ec2Error(
        'InvalidPermission.NotFound',
        'The specified rule does not exist in this security group.',
      );
    }
    this.records.set(record.id, { ...record, rules: kept });
    return { Return: true };
  }

  private ruleId(): string {
    return `sgr-0${this.context.hex(16)}`;
  }

  private find(id: string | undefined, name: string | undefined): SecurityGroupRecord {
    if (id === undefined && name === undefined) throw missing('GroupId');
    const record =
      id === undefined
        ? [...this.records.values()].find((group) => group.name === name)
        : this.records.get(id);
    if (record !== undefined) return record;
    throw ec2Error('InvalidGroup.NotFound', `The security group '${id ?? name}' does not exist`);
  }
}
