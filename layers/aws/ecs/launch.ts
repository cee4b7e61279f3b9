import {
  ConflictException,
  type ContainerOverride as EcsOverride,
  RunTaskCommand,
  type RunTaskCommandInput,
  type RunTaskCommandOutput,
} from '@aws-sdk/client-ecs';
import type { ContainerOverride } from '../../domain/model/task.ts';
import type { Containers, LaunchOutcome, LaunchRequest } from '../../ports/containers.ts';
import { classifyFailure } from '../errors.ts';
import type { Ecs } from './ecs.ts';

/** `memory` stands for the reservation as well, which is what ECS counts against the host. */
const toOverride = ({ name, command, environment, cpu, memory }: ContainerOverride): EcsOverride => ({
  name,
  ...(command && { command: [...command] }),
  ...(environment && {
    environment: Object.entries(environment).map(([key, value]) => ({ name: key, value })),
  }),
  ...(cpu !== undefined && { cpu }),
  ...(memory !== undefined && { memory, memoryReservation: memory }),
});

const toInput = (request: LaunchRequest): RunTaskCommandInput => ({
  cluster: request.cluster,
  taskDefinition: request.taskDefinitionArn,
  count: 1,
  launchType: 'EC2',
  clientToken: request.clientToken,
  startedBy: request.startedBy,
  group: request.group,
  overrides: { containerOverrides: request.containers.map(toOverride) },
  placementConstraints: [{ type: 'memberOf', expression: `ec2InstanceId == ${request.hostId}` }],
  tags: Object.entries(request.tags).map(([key, value]) => ({ key, value })),
});

/** ECS has several words for the same: no registered, active host met the pin. */
const hostNotThere = /No Container Instances were found|no active instances/i;

const unpinned = /constraint unsatisfied/i;

/**
 * A 200 whose `failures` say why there is no task. ECS names every host it has looked at: those that are not the pinned one
 * do not meet the constraint, the pinned one tells what counts. Codes are ECS's; a constraint's sentence becomes `CONSTRAINT`.
 */
function refusal({ failures = [] }: RunTaskCommandOutput): LaunchOutcome {
  const told = failures.filter(({ reason }) => reason !== undefined);
  const failure = told.find(({ reason = '' }) => !unpinned.test(reason)) ?? told[0];
  if (failure?.reason === undefined) {
    return { outcome: 'unknown', detail: 'RunTask answered with neither a task nor a failure' };
  }
  const code = unpinned.test(failure.reason) ? 'CONSTRAINT' : failure.reason;
  return { outcome: 'refused', code, detail: [failure.reason, failure.detail].filter(Boolean).join(': ') };
}

/**
 * The token was used with other words. Its task is this attempt's, and that is what counts; without one the attempt is
 * given up for its successor, whose token is fresh.
 */
function conflict(error: unknown): LaunchOutcome | undefined {
  if (!(error instanceof ConflictException)) return undefined;
  const [ecsTaskArn] = error.resourceIds ?? [];
  return ecsTaskArn === undefined
    ? { outcome: 'refused', code: 'CONFLICT', detail: error.message }
    : { outcome: 'launched', ecsTaskArn };
}

function failed(ecs: Ecs, error: unknown): LaunchOutcome {
  const answer = conflict(error);
  if (answer) return answer;
  const failure = classifyFailure(error);
  switch (failure.kind) {
    case 'throttled':
      ecs.bucket.drain();
      return { outcome: 'throttled', detail: failure.detail };
    case 'uncertain':
      return { outcome: 'unknown', detail: failure.detail };
    case 'denied':
      // Every task would meet the same: that is for the operator to mend, and must not end tasks.
      throw error;
    case 'rejected':
      break;
  }
  if (failure.code === 'ClusterNotFoundException') throw error;
  return hostNotThere.test(failure.detail)
    ? { outcome: 'refused', code: 'MISSING', detail: failure.detail }
    : { outcome: 'impossible', code: failure.code, detail: failure.detail };
}

/** RunTask for one attempt, pinned to its host by id and to its attempt by the client token. */
export const launch =
  (ecs: Ecs): Containers['launch'] =>
  async (request) => {
    if (!ecs.bucket.take())
      return { outcome: 'throttled', detail: 'this process has used up its rate of launches' };
    try {
      const answer = await ecs.client.send(new RunTaskCommand(toInput(request)));
      const ecsTaskArn = answer.tasks?.[0]?.taskArn;
      return ecsTaskArn === undefined ? refusal(answer) : { outcome: 'launched', ecsTaskArn };
    } catch (error) {
      return failed(ecs, error);
    }
  };
