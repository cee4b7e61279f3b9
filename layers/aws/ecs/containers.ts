import type { ECSClient } from '@aws-sdk/client-ecs';
import type { Clock } from '../../ports/clock.ts';
import type { Containers, OperatedContainers } from '../../ports/containers.ts';
import { realSleep, type Sleep } from '../repeatReads.ts';
import { createTokenBucket } from '../tokenBucket.ts';
import type { Ecs } from './ecs.ts';
import { deregister, listHosts, setDraining } from './hosts.ts';
import { launch } from './launch.ts';
import { stop } from './stop.ts';
import { createDefinitionReader } from './taskDefinitions.ts';
import { describeTasks, listTasks } from './tasks.ts';

/**
 * RunTask, StartTask, StopTask and UpdateContainerInstancesState share 100 burst and 40 per second in an account and
 * Region. A process spends at most the sustained rate, so that two of them do not live off the burst for long.
 */
const CALLS_PER_SECOND = 40;

export interface EcsContainersOptions {
  readonly client: Pick<ECSClient, 'send'>;
  readonly clock: Clock;
  /** Waits between repeated reads; real time when absent. */
  readonly sleep?: Sleep;
}

const ecsOf = ({ client, clock, sleep = realSleep }: EcsContainersOptions): Ecs => ({
  client,
  clock,
  sleep,
  bucket: createTokenBucket(clock, CALLS_PER_SECOND, CALLS_PER_SECOND),
});

/** The containers port on ECS. */
export function createEcsContainers(options: EcsContainersOptions): Containers {
  const ecs = ecsOf(options);
  return {
    describeTaskDefinition: createDefinitionReader(ecs),
    launch: launch(ecs),
    stop: stop(ecs),
    describeTasks: describeTasks(ecs),
    listTasks: listTasks(ecs),
    listHosts: listHosts(ecs),
    setDraining: setDraining(ecs),
    deregister: deregister(ecs),
  };
}

/** Its part for operators, without what launches and lists: a third of the client's schemas less in a bundle. */
export function createOperatedContainers(options: EcsContainersOptions): OperatedContainers {
  const ecs = ecsOf(options);
  return { describeTaskDefinition: createDefinitionReader(ecs), stop: stop(ecs) };
}
