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
import type { Ecs } from './containers.ts';

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

/** A 200 whose `failures` say why there is no task. Codes are ECS's; sentences of a constraint become `CONSTRAINT`. */
function refusal({ failures = [] }: RunTaskCommandOutput): LaunchOutcome {
  const [first] = failures;
  if (first?.reason === undefined) {
    return { outcome: 'unknown', detail: 'RunTask answered with neither a task nor a failure' };
  }
  const code = /constraint unsatisfied/i.test(first.reason) ? 'CONSTRAINT' : first.reason;
  return { outcome: 'refused', code, detail: [first.reason, first.detail].filter(Boolean).join(': ') };
}

/** The token's task exists, launched with other words: what counts is that it is this attempt's. */
const existing = (error: unknown): LaunchOutcome | undefined =>
  error instanceof ConflictException && error.resourceIds?.[0]
    ? { outcome: 'launched', ecsTaskArn: error.resourceIds[0] }
    : undefined;

function failed(ecs: Ecs, error: unknown): LaunchOutcome {
  const task = existing(error);
  if (task) return task;
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
