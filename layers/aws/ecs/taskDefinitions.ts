import {
  type ContainerDefinition,
  DescribeTaskDefinitionCommand,
  type TaskDefinition as EcsTaskDefinition,
} from '@aws-sdk/client-ecs';
import type { Containers, TaskDefinition } from '../../ports/containers.ts';
import { classifyFailure } from '../errors.ts';
import { repeatRead } from '../repeatReads.ts';
import type { Ecs } from './ecs.ts';

/** A revision never changes but for becoming inactive; a bare family means its newest, which may change any moment. */
const PINNED_MS = 300_000;
const NEWEST_MS = 2_000;
const MAX_REMEMBERED = 1_000;

function hostPortsOf(container: ContainerDefinition, networkMode: string): string[] {
  return (container.portMappings ?? []).flatMap(({ hostPort, containerPort, protocol }) => {
    const port = networkMode === 'host' ? (hostPort ?? containerPort) : hostPort;
    // Port 0 is "any free one"; under awsvpc the port is the task's own and not the host's.
    return port && networkMode !== 'awsvpc' ? [`${port}/${protocol ?? 'tcp'}`] : [];
  });
}

const gpusOf = (container: ContainerDefinition): number =>
  (container.resourceRequirements ?? [])
    .filter(({ type }) => type === 'GPU')
    .reduce((sum, { value }) => sum + Number(value ?? 0), 0);

/** The only kind of constraint a task definition may have. */
function memberOfIn({ placementConstraints = [] }: EcsTaskDefinition): Pick<TaskDefinition, 'memberOf'> {
  const memberOf = placementConstraints.flatMap(({ expression }) => expression ?? []);
  return memberOf.length > 0 ? { memberOf } : {};
}

function toDefinition(definition: EcsTaskDefinition): TaskDefinition | undefined {
  const { taskDefinitionArn: arn, family, revision } = definition;
  if (definition.status !== 'ACTIVE' || arn === undefined || family === undefined || revision === undefined) {
    return undefined;
  }
  const networkMode = definition.networkMode ?? 'bridge';
  return {
    arn,
    family,
    revision,
    ...(definition.cpu !== undefined && { cpuUnits: Number(definition.cpu) }),
    ...(definition.memory !== undefined && { memoryMiB: Number(definition.memory) }),
    networkMode,
    ...memberOfIn(definition),
    containers: (definition.containerDefinitions ?? []).map((container) => ({
      name: container.name ?? '',
      image: container.image ?? '',
      cpuUnits: container.cpu ?? 0,
      memoryMiB: container.memoryReservation ?? container.memory ?? 0,
      gpus: gpusOf(container),
      essential: container.essential ?? true,
      hostPorts: hostPortsOf(container, networkMode),
    })),
  };
}

async function read(ecs: Ecs, nameOrArn: string): Promise<TaskDefinition | undefined> {
  try {
    const answer = await repeatRead(ecs.sleep, () =>
      ecs.client.send(new DescribeTaskDefinitionCommand({ taskDefinition: nameOrArn })),
    );
    return answer.taskDefinition && toDefinition(answer.taskDefinition);
  } catch (error) {
    // ECS says ClientException, "Unable to describe task definition", for one that there is not.
    if (classifyFailure(error).code === 'ClientException') return undefined;
    throw error;
  }
}

const isPinned = (nameOrArn: string): boolean => /:[0-9]+$/.test(nameOrArn);

/**
 * Reads definitions, and remembers them: a burst of requests for one family is one call. A task is pinned to a revision;
 * the images in it are as the revision names them: a tag is not resolved to a digest, which only its registry could do.
 */
export function createDefinitionReader(ecs: Ecs): Containers['describeTaskDefinition'] {
  const remembered = new Map<string, { readonly until: number; readonly reading: ReturnType<typeof read> }>();
  const remember = (key: string, reading: ReturnType<typeof read>): void => {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(key, { until: ecs.clock.now() + (isPinned(key) ? PINNED_MS : NEWEST_MS), reading });
  };
  return async (nameOrArn) => {
    const known = remembered.get(nameOrArn);
    if (known && ecs.clock.now() < known.until) return known.reading;
    const reading = read(ecs, nameOrArn);
    remember(nameOrArn, reading);
    try {
      const definition = await reading;
      // Absence is not remembered: it may be registered the next moment.
      if (definition === undefined) remembered.delete(nameOrArn);
      else if (definition.arn !== nameOrArn) remember(definition.arn, reading);
      return definition;
    } catch (error) {
      remembered.delete(nameOrArn);
      throw error;
    }
  };
}
