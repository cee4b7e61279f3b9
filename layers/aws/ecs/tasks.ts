import { DescribeTasksCommand, ListTasksCommand, type Task } from '@aws-sdk/client-ecs';
import { notEssentialIn, observeEcsTask } from '../../domain/lifecycle/ecsTask.ts';
import type { Containers, ObservedTask } from '../../ports/containers.ts';
import { allPages, chunks } from '../pages.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ecs } from './ecs.ts';

const MAX_DESCRIBED = 100;

function toObserved(task: Task): ObservedTask[] {
  if (task.taskArn === undefined || task.clusterArn === undefined) return [];
  const observed = observeEcsTask({
    clusterArn: task.clusterArn,
    taskArn: task.taskArn,
    containerInstanceArn: task.containerInstanceArn,
    startedBy: task.startedBy,
    version: task.version ?? 0,
    lastStatus: task.lastStatus ?? '',
    desiredStatus: task.desiredStatus ?? '',
    startedAt: task.startedAt?.getTime(),
    stoppedAt: task.stoppedAt?.getTime(),
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    containers: (task.containers ?? []).map(({ name = '', exitCode, reason }) => ({
      name,
      exitCode,
      reason,
    })),
    notEssential: notEssentialIn(task.overrides?.containerOverrides ?? []),
  });
  return [observed];
}

/** Those that ECS does not know (any more) are left out. */
export const describeTasks =
  (ecs: Ecs): Containers['describeTasks'] =>
  async (cluster, ecsTaskArns) => {
    const observed: ObservedTask[] = [];
    for (const tasks of chunks(ecsTaskArns, MAX_DESCRIBED)) {
      const answer = await repeatRead(ecs.sleep, () =>
        ecs.client.send(new DescribeTasksCommand({ cluster, tasks })),
      );
      observed.push(...(answer.tasks ?? []).flatMap(toObserved));
    }
    return observed;
  };

/** ECS lists by what is wanted of a task: `STOPPED` holds those that are still being stopped as well. */
export const listTasks =
  (ecs: Ecs): Containers['listTasks'] =>
  async (cluster, filter = {}) => {
    const arns = new Set<string>();
    for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
      const found = await allPages(async (nextToken) => {
        const input = { cluster, desiredStatus, ...filter, ...(nextToken && { nextToken }) };
        const answer = await repeatRead(ecs.sleep, () => ecs.client.send(new ListTasksCommand(input)));
        return { items: answer.taskArns ?? [], next: answer.nextToken };
      });
      for (const arn of found) arns.add(arn);
    }
    return describeTasks(ecs)(cluster, [...arns]);
  };
