/** Labels by which containers are found again: ECS's own, as its agent sets them, and two that name the host. */
export const LABELS = {
  cluster: 'com.amazonaws.ecs.cluster',
  taskArn: 'com.amazonaws.ecs.task-arn',
  containerName: 'com.amazonaws.ecs.container-name',
  family: 'com.amazonaws.ecs.task-definition-family',
  revision: 'com.amazonaws.ecs.task-definition-version',
  /** The instance the container runs on. */
  instance: 'berth.instance',
  /** The data directory the instance belongs to: an engine may be shared. */
  owner: 'berth.owner',
  /** Holds a network namespace open for tasks to come; no task's container. */
  networkHolder: 'berth.network',
} as const;
