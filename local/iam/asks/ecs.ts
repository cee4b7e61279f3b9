import type { RunTaskCommandInput, UpdateContainerInstancesStateCommandInput } from '@aws-sdk/client-ecs';
import type { Ask } from '../decide.ts';
import { type Account, arnOf } from './account.ts';

/** The members that say what a call is about. */
interface Input {
  readonly cluster?: string;
  readonly task?: string;
  readonly tasks?: readonly string[];
  readonly containerInstances?: UpdateContainerInstancesStateCommandInput['containerInstances'];
}

/** Which resources an operation is about, and whether it knows `ecs:cluster` (Service Authorization Reference of ECS). */
export async function ecsAsks(operation: string, body: unknown, account: Account): Promise<Ask[]> {
  const { cluster = 'default', task, tasks, containerInstances } = body as Input;
  const clusterArn = arnOf(account, 'ecs', cluster.startsWith('arn:') ? cluster : `cluster/${cluster}`);
  const clusterName = clusterArn.slice(clusterArn.lastIndexOf('/') + 1);
  const action = `ecs:${operation}`;
  const keys = { 'ecs:cluster': [clusterArn] };
  const within = (kind: string, ids: readonly string[]): Ask[] =>
    ids.map((id) => ({
      action,
      resource: arnOf(account, 'ecs', id.startsWith('arn:') ? id : `${kind}/${clusterName}/${id}`),
      keys,
    }));
  switch (operation) {
    case 'RunTask':
      return runTaskAsks(body as RunTaskCommandInput, { account, clusterName, keys });
    case 'StopTask':
      return within('task', [task ?? '']);
    case 'DescribeTasks':
      return within('task', tasks ?? []);
    case 'ListTasks':
      return within('container-instance', ['*']);
    case 'DescribeContainerInstances':
    case 'UpdateContainerInstancesState':
      return within('container-instance', containerInstances ?? []);
    case 'ListContainerInstances':
    case 'DeregisterContainerInstance':
      return [{ action, resource: clusterArn }];
    default:
      return [{ action, resource: '*' }];
  }
}

/** Tags are a permission of their own, and so is every role that is handed to the task. */
async function runTaskAsks(
  { taskDefinition = '', overrides, tags }: RunTaskCommandInput,
  { account, clusterName, keys }: { account: Account; clusterName: string; keys: Ask['keys'] },
): Promise<Ask[]> {
  const resource = arnOf(
    account,
    'ecs',
    taskDefinition.startsWith('arn:') ? taskDefinition : `task-definition/${taskDefinition}`,
  );
  const roles = [
    ...(await account.taskRolesOf(taskDefinition)),
    ...[overrides?.taskRoleArn, overrides?.executionRoleArn].filter((role) => role !== undefined),
  ];
  return [
    { action: 'ecs:RunTask', resource, ...(keys && { keys }) },
    ...(tags === undefined || tags.length === 0
      ? []
      : [
          {
            action: 'ecs:TagResource',
            resource: arnOf(account, 'ecs', `task/${clusterName}/*`),
            keys: { 'ecs:CreateAction': ['RunTask'] },
          },
        ]),
    ...roles.map((role) => ({
      action: 'iam:PassRole',
      resource: role,
      keys: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com'] },
    })),
  ];
}
