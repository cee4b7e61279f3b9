import { readFileSync } from 'node:fs';

/** One task that ECS has taken, as the launch made it. */
export interface Launched {
  readonly startedBy: string;
  readonly taskArn: string;
  readonly hostArn: string;
}

type Event = { detail: Record<string, unknown> } & Record<string, unknown>;

const sample = (name: string): Event =>
  JSON.parse(readFileSync(new URL(`../../../events/aws.ecs/${name}.json`, import.meta.url), 'utf8')) as Event;
const samples = {
  running: sample('ecs-task-state-change.running'),
  succeeded: sample('ecs-task-state-change.succeeded'),
  registered: sample('ecs-container-instance-state-change.registered'),
};

export const hostArnOf = (hostId: string): string =>
  `arn:aws:ecs:us-east-1:123456789012:container-instance/demo/${hostId.slice(2).padStart(32, '0')}`;

/** The event of a task's start or good end, as the text that a queue carries. */
export function taskEvent(kind: 'running' | 'succeeded', { startedBy, taskArn, hostArn }: Launched): string {
  const event = samples[kind];
  const detail = { ...event.detail, startedBy, taskArn, containerInstanceArn: hostArn };
  return JSON.stringify({ ...event, resources: [taskArn], detail });
}

/** The event of a host that has registered with so much to give. */
export function hostEvent(hostId: string, cpu: number, memory: number): string {
  const resources = [
    { name: 'CPU', type: 'INTEGER', integerValue: cpu },
    { name: 'MEMORY', type: 'INTEGER', integerValue: memory },
  ];
  const { registered } = samples;
  const detail = {
    ...registered.detail,
    ec2InstanceId: hostId,
    containerInstanceArn: hostArnOf(hostId),
    registeredResources: resources,
    remainingResources: resources,
  };
  return JSON.stringify({ ...registered, resources: [hostArnOf(hostId)], detail });
}
