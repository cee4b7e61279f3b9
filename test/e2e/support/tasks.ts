import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Berth } from './berth.ts';
import { until } from './until.ts';

export interface ExplainedTask {
  readonly taskId: string;
  readonly state: string;
  readonly attempt: number;
  readonly hostId?: string;
  readonly ecsTaskArn?: string;
  readonly exitCode?: number;
  readonly startedAt?: number;
  readonly acceptedAt: number;
}

/** The task definition that the tests launch: one busybox container. */
export async function registerHello(berth: Berth, family = 'hello'): Promise<void> {
  await berth.aws(
    'ecs',
    'register-task-definition',
    '--cli-input-json',
    JSON.stringify({
      family,
      networkMode: 'bridge',
      requiresCompatibilities: ['EC2'],
      containerDefinitions: [
        {
          name: 'main',
          image: 'berth/demo:latest',
          cpu: 128,
          memory: 64,
          essential: true,
          command: ['sh', '-c', 'echo hello; sleep 2'],
        },
      ],
    }),
  );
}

/** Writes entries for `put-events` and returns the argument that names them. */
export const entriesOf = (details: readonly object[], source = 'e2e.shop'): string =>
  JSON.stringify(
    details.map((detail) => ({
      Source: source,
      DetailType: 'Task Requested',
      EventBusName: 'berth',
      Detail: JSON.stringify(detail),
    })),
  );

export async function explain(berth: Berth, taskId: string): Promise<ExplainedTask> {
  const answer = await berth.operate<{ task?: ExplainedTask; problems?: unknown }>({
    operation: 'explain',
    taskId,
  });
  if (!answer.task) throw new Error(`no task ${taskId}: ${JSON.stringify(answer)}`);
  return answer.task;
}

export async function waitForState(
  berth: Berth,
  taskId: string,
  states: readonly string[],
  boundMs = 60_000,
): Promise<ExplainedTask> {
  let task: ExplainedTask | undefined;
  try {
    await until(`task ${taskId} is ${states.join(' or ')}`, boundMs, async () => {
      task = await explain(berth, taskId).catch(() => undefined);
      return task !== undefined && states.includes(task.state);
    });
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; it is ${JSON.stringify(task ?? 'not on record')}`, {
      cause,
    });
  }
  return task as ExplainedTask;
}

/** A task's own cgroup file on this machine, v1 or v2. */
export function cgroupFile(controller: string, hostId: string, ecsTaskArn: string, name: string): string {
  const ecsTaskId = ecsTaskArn.split('/').at(-1) ?? '';
  const v1 = join('/sys/fs/cgroup', controller, 'berth', hostId, 'ecs', ecsTaskId, name);
  if (existsSync(v1)) return readFileSync(v1, 'utf8').trim();
  return readFileSync(join('/sys/fs/cgroup/berth', hostId, 'ecs', ecsTaskId, name), 'utf8').trim();
}
