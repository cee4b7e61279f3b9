import type {
  DescribeTasksCommandInput,
  DescribeTasksCommandOutput,
  Failure,
  ListTasksCommandInput,
  ListTasksCommandOutput,
  StopTaskCommandInput,
  StopTaskCommandOutput,
  Task,
} from '@aws-sdk/client-ecs';
import { type EngineContext, ServiceError } from '../engine/service.ts';
import { type Arns, lastPart } from './arn.ts';
import { describeTask, tagList } from './describeTask.ts';
import { invalidParameter } from './errors.ts';
import { Pages } from './pages.ts';
import type { TaskRecord } from './records.ts';
import type { EcsStore } from './store.ts';
import type { Tasks } from './tasks.ts';

const MAX_DESCRIBED = 100;

type Output<T> = Omit<T, '$metadata'>;

/** Amazon ECS API reference, "eventual consistency". */
const UNSEEN_MS = 300_000;

export class TaskOperations {
  private readonly context: EngineContext;
  private readonly store: EcsStore;
  private readonly arns: Arns;
  private readonly tasks: Tasks;
  private readonly pages = new Pages<TaskRecord>();

  constructor(context: EngineContext, store: EcsStore, arns: Arns, tasks: Tasks) {
    this.context = context;
    this.store = store;
    this.arns = arns;
    this.tasks = tasks;
  }

  stop(input: StopTaskCommandInput): Output<StopTaskCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const task = this.store.task(cluster.name, input.task ?? '');
    if (task === undefined) throw invalidParameter('The referenced task was not found.');
    const stopped = this.tasks.stop(task, 'UserInitiated', input.reason ?? 'Task stopped by user');
    return { task: describeTask(this.arns, stopped) };
  }

  describe(input: DescribeTasksCommandInput): Output<DescribeTasksCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    const references = input.tasks ?? [];
    if (references.length === 0) throw invalidParameter('Tasks cannot be empty.');
    if (references.length > MAX_DESCRIBED) {
      throw invalidParameter(`Tasks cannot have more than ${MAX_DESCRIBED} elements.`);
    }
    const withTags = input.include?.includes('TAGS') === true;
    const tasks: Task[] = [];
    const failures: Failure[] = [];
    for (const reference of new Set(references)) {
      const arn = this.arns.task(cluster.name, lastPart(reference));
      const task = this.read(this.store.task(cluster.name, reference), arn);
      if (task === undefined) failures.push({ arn, reason: 'MISSING' });
      else
        tasks.push({ ...describeTask(this.arns, task), ...(withTags ? { tags: tagList(task.tags) } : {}) });
    }
    return { tasks, failures };
  }

  /**
   * Reads are eventually consistent: with a `delay` fault at `ecs.staleRead` a change younger than the delay is not seen
   * yet, and with `drop` a young task is not seen at all. ECS asks to back off for up to five minutes: what is older shows.
   */
  private read(task: TaskRecord | undefined, arn: string): TaskRecord | undefined {
    if (task === undefined) return undefined;
    const fault = this.context.faults.at('ecs.staleRead', arn);
    if (fault?.kind === 'drop') {
      const age = this.context.clock.now() - task.createdAt;
      return age < UNSEEN_MS ? undefined : task;
    }
    if (fault?.kind !== 'delay') return task;
    const past = this.store.pastOf(task.id);
    if (past === undefined || past.replacedAt + fault.delayMs <= this.context.clock.now()) return task;
    return past.task;
  }

  list(input: ListTasksCommandInput): Output<ListTasksCommandOutput> {
    const cluster = this.store.activeCluster(input.cluster);
    if (input.serviceName !== undefined) {
      throw new ServiceError('ServiceNotFoundException', 'Service not found.');
    }
    if (input.launchType !== undefined && input.launchType !== 'EC2') return { taskArns: [] };
    const desired = input.desiredStatus ?? 'RUNNING';
    const wanted = (task: TaskRecord): boolean =>
      task.desiredStatus === desired &&
      (input.startedBy === undefined || task.startedBy === input.startedBy) &&
      (input.family === undefined || task.family === input.family) &&
      (input.containerInstance === undefined || task.hostId === lastPart(input.containerInstance));
    const filters = [cluster.name, desired, input.startedBy, input.family, input.containerInstance];
    const ids = this.narrowest(cluster.name, input);
    const page = this.pages.page(JSON.stringify(filters), this.store.tasksOf(ids), input, wanted);
    return {
      taskArns: page.items.map((task) => this.arns.task(cluster.name, task.id)),
      nextToken: page.nextToken,
    };
  }

  /** The smallest index that holds every task the filters let through. */
  private narrowest(cluster: string, input: ListTasksCommandInput): Iterable<string> {
    const index = this.store.index(cluster);
    if (input.startedBy !== undefined) return index.taskIdsByStarter.get(input.startedBy) ?? [];
    if (input.containerInstance !== undefined) {
      const host = this.store.host(cluster, input.containerInstance);
      if (host === undefined) throw invalidParameter('The referenced container instance was not found.');
      return host.taskIds;
    }
    if (input.family !== undefined) return index.taskIdsByFamily.get(input.family) ?? [];
    return index.taskIds;
  }
}
