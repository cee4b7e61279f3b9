import type { CreateFleetCommandInput, TerminateInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { Ask } from '../decide.ts';
import { type Account, arnOf } from './account.ts';

export async function ec2Asks(operation: string, input: unknown, account: Account): Promise<Ask[]> {
  switch (operation) {
    case 'CreateFleet':
      return createFleetAsks(input as CreateFleetCommandInput, account);
    case 'TerminateInstances':
      return terminateAsks(input as TerminateInstancesCommandInput, account);
    default:
      return [{ action: `ec2:${operation}`, resource: '*' }];
  }
}

/** A fleet launches and tags in its caller's name, and hands the instances the role of their launch template. */
async function createFleetAsks(input: CreateFleetCommandInput, account: Account): Promise<Ask[]> {
  const configs = input.LaunchTemplateConfigs ?? [];
  const templates = [
    ...new Set(
      configs.flatMap(({ LaunchTemplateSpecification: spec }) =>
        spec?.LaunchTemplateId === undefined ? [] : [spec.LaunchTemplateId],
      ),
    ),
  ];
  const subnets = configs.flatMap(({ Overrides = [] }) =>
    Overrides.flatMap(({ SubnetId }) => (SubnetId === undefined ? [] : [`subnet/${SubnetId}`])),
  );
  const named = [...templates.map((id) => `launch-template/${id}`), ...new Set(subnets)];
  const roles = await Promise.all(templates.map((id) => account.hostRoleOf(id)));
  const on = (action: string, resources: readonly string[], keys?: Ask['keys']): Ask[] =>
    resources.map((resource) => ({
      action,
      resource: arnOf(account, 'ec2', resource),
      ...(keys && { keys }),
    }));
  return [
    ...on('ec2:CreateFleet', ['fleet/*', 'instance/*', ...named]),
    ...on('ec2:RunInstances', [
      // Images name no account.
      `arn:aws:ec2:${account.region}::image/*`,
      'instance/*',
      'network-interface/*',
      'security-group/*',
      'volume/*',
      ...named,
    ]),
    ...(input.TagSpecifications ?? []).flatMap(({ ResourceType }) =>
      on('ec2:CreateTags', [`${ResourceType}/*`], {
        'ec2:CreateAction': [ResourceType === 'fleet' ? 'CreateFleet' : 'RunInstances'],
      }),
    ),
    ...roles.flatMap((role) =>
      role === undefined
        ? []
        : [
            {
              action: 'iam:PassRole',
              resource: role,
              keys: { 'iam:PassedToService': ['ec2.amazonaws.com'] },
            },
          ],
    ),
  ];
}

async function terminateAsks(
  { InstanceIds = [] }: TerminateInstancesCommandInput,
  account: Account,
): Promise<Ask[]> {
  const asks: Ask[] = [];
  for (const id of InstanceIds) {
    const tags = await account.tagsOf(id);
    if (tags === undefined) continue;
    asks.push({
      action: 'ec2:TerminateInstances',
      resource: arnOf(account, 'ec2', `instance/${id}`),
      keys: Object.fromEntries(
        Object.entries(tags).map(([name, value]) => [`aws:ResourceTag/${name}`, [value]]),
      ),
    });
  }
  return asks;
}
