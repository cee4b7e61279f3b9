import type {
  DescribeInstancesCommandOutput,
  DescribeLaunchTemplateVersionsCommandOutput,
  Instance,
} from '@aws-sdk/client-ec2';
import type { DescribeTaskDefinitionCommandOutput } from '@aws-sdk/client-ecs';
import { type Service, ServiceError } from '../engine/service.ts';
import type { Surroundings } from './permissions.ts';

export interface SurroundingsParts {
  readonly region: string;
  readonly accountId: string;
  /** Asked for at each call: permissions are there before the services are. */
  readonly services: () => { readonly ec2: Service; readonly ecs: Service };
}

/** Asks EC2 and ECS themselves. */
export function surroundingsOf({ region, accountId, services }: SurroundingsParts): Surroundings {
  const ask = async <Answer>(
    service: 'ec2' | 'ecs',
    operation: string,
    input: object,
  ): Promise<Answer | undefined> => {
    try {
      return (await services()[service].operations[operation]?.(input, {
        requestId: 'permission',
      })) as Answer;
    } catch (error) {
      // What there is not is the called service's to tell.
      if (error instanceof ServiceError) return undefined;
      throw error;
    }
  };
  const instance = async (id: string): Promise<Instance | undefined> => {
    const answer = await ask<DescribeInstancesCommandOutput>('ec2', 'DescribeInstances', {
      InstanceIds: [id],
    });
    return answer?.Reservations?.[0]?.Instances?.[0];
  };
  return {
    region,
    accountId,
    async taskRolesOf(taskDefinition) {
      const answer = await ask<DescribeTaskDefinitionCommandOutput>('ecs', 'DescribeTaskDefinition', {
        taskDefinition,
      });
      const { taskRoleArn, executionRoleArn } = answer?.taskDefinition ?? {};
      return [taskRoleArn, executionRoleArn].filter((arn) => arn !== undefined);
    },
    async profileOfTemplate(LaunchTemplateId) {
      const answer = await ask<DescribeLaunchTemplateVersionsCommandOutput>(
        'ec2',
        'DescribeLaunchTemplateVersions',
        { LaunchTemplateId, Versions: ['$Latest'] },
      );
      return answer?.LaunchTemplateVersions?.[0]?.LaunchTemplateData?.IamInstanceProfile?.Arn;
    },
    async tagsOf(id) {
      const found = await instance(id);
      return found && Object.fromEntries((found.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    },
    profileOf: async (id) => (await instance(id))?.IamInstanceProfile?.Arn,
  };
}
