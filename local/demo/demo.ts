import { setTimeout as sleep } from 'node:timers/promises';
import { Listr } from 'listr2';
import type { Explanation } from '../../layers/control/operate/explain.ts';
import { taskIdOf } from '../../layers/control/taskId.ts';
import type { Task, TaskState } from '../../layers/domain/model/task.ts';
import type { Display } from '../cli/display.ts';
import type { EmbeddedAws } from '../embeddedAws.ts';
import { taskLimits } from './cgroup.ts';
import { awsCli } from './cli.ts';
import { HELLO_SOURCE, helloDefinition, helloRequest } from './hello.ts';

const STEP_MS = 100;
const BOUND_MS = 60_000;

interface Story {
  task?: Task;
  readonly startedAt: number;
}

/** Sends the sample event with the real AWS CLI and shows how it becomes a container, and how that ends. */
export async function runDemo(aws: EmbeddedAws, display: Display, stop: AbortSignal): Promise<void> {
  const key = `hello-${new Date().toISOString()}`;
  const taskId = taskIdOf(HELLO_SOURCE, key, 0);
  const story: Story = { startedAt: Date.now() };
  const elapsed = (): string => `${((Date.now() - story.startedAt) / 1000).toFixed(1)} s`;

  /** Follows the task, telling why it waits, until it is in one of the states. */
  const follow = async (states: readonly TaskState[], tell: (text: string) => void): Promise<Task> => {
    const end = Date.now() + BOUND_MS;
    for (;;) {
      const answer = await explain(aws, taskId);
      if (answer) {
        story.task = answer.task;
        if (states.includes(answer.task.state)) return answer.task;
        tell(answer.summary);
      }
      if (stop.aborted) throw new Error('interrupted');
      if (Date.now() > end)
        throw new Error(
          `after ${BOUND_MS / 1000} s the task is ${answer?.task.state ?? 'not on record'}: ${answer?.summary ?? ''}`,
        );
      await sleep(STEP_MS);
    }
  };
  const after: TaskState[] = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

  const steps = new Listr<object, 'default' | 'silent'>(
    [
      {
        title: 'Register the task definition hello',
        task: async () => {
          await awsCli(aws.url, [
            'ecs',
            'register-task-definition',
            '--cli-input-json',
            JSON.stringify(helloDefinition),
          ]);
        },
      },
      {
        title: 'Put a Task Requested event on the bus',
        task: async (_, step) => {
          const entry = {
            Source: HELLO_SOURCE,
            DetailType: 'Task Requested',
            EventBusName: 'berth',
            Detail: JSON.stringify(helloRequest(key)),
          };
          await awsCli(aws.url, ['events', 'put-events', '--entries', JSON.stringify([entry])]);
          step.title = `Put a Task Requested event on the bus with the AWS CLI`;
        },
      },
      {
        title: 'Place it on a host',
        task: async (_, step) => {
          const task = await follow(['PLACED', 'RUNNING', ...after], (text) => {
            step.output = text;
          });
          step.title = `Placed task ${task.taskId} on ${task.hostId} after ${elapsed()}`;
        },
      },
      {
        title: 'Start its container',
        task: async (_, step) => {
          const task = await follow(['RUNNING', ...after], (text) => {
            step.output = text;
          });
          const limits = Object.entries(taskLimits(task.hostId ?? '', task.ecsTaskArn ?? ''))
            .map(([file, value]) => `${file}=${value}`)
            .join(' ');
          step.title = `Running after ${elapsed()}${limits && `, the kernel holds ${limits}`}`;
        },
      },
      {
        title: 'Wait for its end',
        task: async (_, step) => {
          const task = await follow(after, (text) => {
            step.output = text;
          });
          step.title = `${task.state} after ${elapsed()}, exit code ${task.exitCode ?? 'none'}; the idle host is given back in a minute`;
        },
      },
    ],
    { renderer: display.interactive ? 'default' : 'silent', rendererOptions: {} },
  );
  await steps.run();
  display.event('demo', { taskId, state: story.task?.state, seconds: (Date.now() - story.startedAt) / 1000 });
}

async function explain(aws: EmbeddedAws, taskId: string): Promise<Explanation | undefined> {
  const answer = await aws.operate({ operation: 'explain', taskId });
  return 'task' in answer ? (answer as unknown as Explanation) : undefined;
}

export const tryThese = (endpoint: string): string => {
  const prefix = endpoint === 'http://127.0.0.1:4566' ? '' : `BERTH_ENDPOINT=${endpoint} `;
  return `
The embedded AWS is up at ${endpoint}. Try, in another terminal:

  ${prefix}scripts/aws events put-events --entries file://events/entries/hello.json
  ${prefix}scripts/berth status demo
  ${prefix}scripts/berth list demo
  ${prefix}scripts/berth explain TASK_ID
  ${prefix}scripts/aws logs tail /aws/lambda/berth-schedule
  ${prefix}scripts/aws ecs list-tasks --cluster demo

Ctrl-C stops it.
`;
};
