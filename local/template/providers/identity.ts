import type { Permissions } from '../../iam/permissions.ts';
import { readPolicy } from '../../iam/policy.ts';
import { type Provider, TemplateError } from '../resolve.ts';

/** What it allows is for the ECS agent, which is part of the embedded ECS and calls nobody. */
const FOR_ECS_AGENT = 'policy/service-role/AmazonEC2ContainerServiceforEC2Role';

/** Roles with what they may do, and the profiles by which instances have them. */
export function identityProviders(
  { accountId }: { readonly accountId: string },
  permissions: Permissions,
): Record<string, Provider> {
  const arnOf = (kind: string, name: string): string => `arn:aws:iam::${accountId}:${kind}/${name}`;
  return {
    'AWS::IAM::Role': ({ logicalId, properties }) => {
      const name = String(properties.RoleName ?? `berth-${logicalId}`);
      for (const policy of (properties.ManagedPolicyArns ?? []) as string[]) {
        if (!policy.endsWith(FOR_ECS_AGENT))
          throw new TemplateError(
            `${logicalId}: the embedded AWS does not have the managed policy ${policy}.`,
          );
      }
      const policies = (properties.Policies ?? []) as { readonly PolicyDocument: unknown }[];
      permissions.defineRole(
        arnOf('role', name),
        policies.flatMap(({ PolicyDocument }) => readPolicy(PolicyDocument, logicalId)),
      );
      return { ref: name, attributes: { Arn: arnOf('role', name) } };
    },
    'AWS::IAM::InstanceProfile': ({ logicalId, properties }) => {
      const name = String(properties.InstanceProfileName ?? `berth-${logicalId}`);
      const [role = ''] = (properties.Roles ?? []) as string[];
      const arn = arnOf('instance-profile', name);
      permissions.defineProfile(arn, arnOf('role', role));
      return { ref: name, attributes: { Arn: arn } };
    },
  };
}
