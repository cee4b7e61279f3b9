import { createHash } from 'node:crypto';
import type { Service } from '../../engine/service.ts';
import type { Provider } from '../resolve.ts';
import { call, makeOrFind } from './call.ts';

export interface ComputeServices {
  readonly ec2: Service;
  readonly ecs: Service;
}

/** The ECS cluster, the security group and the launch template of the hosts. */
export function computeProviders({ ec2, ecs }: ComputeServices): Record<string, Provider> {
  return {
    'AWS::ECS::Cluster': async ({ properties }) => {
      const { cluster } = await call<{ cluster: { clusterArn: string; clusterName: string } }>(
        ecs,
        'CreateCluster',
        {
          clusterName: properties.ClusterName,
        },
      );
      return { ref: cluster.clusterName, attributes: { Arn: cluster.clusterArn } };
    },
    'AWS::EC2::SecurityGroup': async ({ logicalId, properties }) => {
      const GroupName = String(properties.GroupName ?? `berth-${logicalId}`);
      const { GroupId } = await makeOrFind<{ GroupId: string }>(
        () =>
          call(ec2, 'CreateSecurityGroup', {
            GroupName,
            Description: properties.GroupDescription,
            VpcId: properties.VpcId,
          }),
        ['InvalidGroup.Duplicate'],
        async () => {
          const found = await call<{ SecurityGroups: { GroupId: string }[] }>(ec2, 'DescribeSecurityGroups', {
            Filters: [
              { Name: 'group-name', Values: [GroupName] },
              { Name: 'vpc-id', Values: [properties.VpcId] },
            ],
          });
          return { GroupId: found.SecurityGroups[0]?.GroupId ?? '' };
        },
      );
      return { ref: GroupId, attributes: { GroupId } };
    },
    'AWS::EC2::LaunchTemplate': async ({ properties }) => {
      const LaunchTemplateName = String(properties.LaunchTemplateName);
      const LaunchTemplateData = properties.LaunchTemplateData as object;
      // The description carries a digest of the data: a start that finds it unchanged makes no new version.
      const digest = createHash('sha256')
        .update(JSON.stringify(LaunchTemplateData))
        .digest('hex')
        .slice(0, 32);
      const id = await makeOrFind<string>(
        async () => {
          const made = await call<{ LaunchTemplate: { LaunchTemplateId: string } }>(
            ec2,
            'CreateLaunchTemplate',
            {
              LaunchTemplateName,
              LaunchTemplateData,
              VersionDescription: digest,
            },
          );
          return made.LaunchTemplate.LaunchTemplateId;
        },
        ['InvalidLaunchTemplateName.AlreadyExistsException'],
        () => updateLaunchTemplate(ec2, LaunchTemplateName, LaunchTemplateData, digest),
      );
      return { ref: id, attributes: { LaunchTemplateId: id, LatestVersionNumber: '$Latest' } };
    },
  };
}

async function updateLaunchTemplate(
  ec2: Service,
  name: string,
  data: object,
  digest: string,
): Promise<string> {
  const { LaunchTemplateVersions: versions } = await call<{
    LaunchTemplateVersions: { LaunchTemplateId: string; VersionDescription?: string }[];
  }>(ec2, 'DescribeLaunchTemplateVersions', { LaunchTemplateName: name, Versions: ['$Latest'] });
  const latest = versions[0];
  if (latest?.VersionDescription !== digest) {
    await call(ec2, 'CreateLaunchTemplateVersion', {
      LaunchTemplateName: name,
      LaunchTemplateData: data,
      VersionDescription: digest,
    });
  }
  return latest?.LaunchTemplateId ?? '';
}
