import type {
  CancelMessageMoveTaskCommandInput,
  CancelMessageMoveTaskResult,
  ListMessageMoveTasksCommandInput,
  ListMessageMoveTasksResult,
  StartMessageMoveTaskCommandInput,
  StartMessageMoveTaskResult,
} from '@aws-sdk/client-sqs';
import type { Cancel } from '../engine/clock.ts';
import { ServiceError } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { missingParameter, wholeNumber } from './errors.ts';
import type { QueuedMessage } from './message.ts';
import type { Queue } from './queue.ts';
import type { Registry } from './registry.ts';
import { prepareMoved, send } from './send.ts';

interface StoredMove {
  readonly handle: string;
  readonly sourceArn: string;
  readonly destinationArn?: string;
  /** As asked for; the service chooses when absent. */
  readonly perSecond?: number;
  readonly toMove: number;
  readonly moved: number;
  readonly status: 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';
  readonly failureReason?: string;
  readonly startedAtMs: number;
}

const MAXIMUM_PER_SECOND = 500;
/** Tasks that ListMessageMoveTasks can show for one source. */
const KEPT_PER_SOURCE = 10;

/** Redrive: moves messages out of a dead-letter queue, second by second, as new messages. */
export class Moves {
  private readonly registry: Registry;
  private readonly tasks: Collection<StoredMove>;
  private readonly timers = new Map<string, Cancel>();

  constructor(registry: Registry) {
    this.registry = registry;
    this.tasks = registry.context.state.collection('sqs.moves');
    for (const task of this.tasks.values()) if (task.status === 'RUNNING') this.continueAfter(task.handle, 0);
  }

  start(input: StartMessageMoveTaskCommandInput): StartMessageMoveTaskResult {
    const source = this.source(input.SourceArn);
    if (input.DestinationArn !== undefined) this.destination(input.DestinationArn);
    const perSecond = input.MaxNumberOfMessagesPerSecond;
    if (perSecond !== undefined) {
      wholeNumber(
        perSecond,
        'MaxNumberOfMessagesPerSecond',
        1,
        MAXIMUM_PER_SECOND,
        'Must be between 1 and 500.',
      );
    }
    const isSource = (queue: Queue): boolean => queue.settings.redrive?.deadLetterTargetArn === source.arn;
    if (![...this.registry.all()].some(isSource)) {
      throw refusal('Source queue must be configured as a Dead Letter Queue.');
    }
    if (this.of(source.arn).some(({ status }) => status === 'RUNNING')) {
      throw refusal(
        'There is already a task running. Only one active task is allowed for a source queue arn at a given time.',
      );
    }
    const { clock, hex } = this.registry.context;
    const handle = Buffer.from(JSON.stringify({ taskId: hex(32), sourceArn: source.arn })).toString('base64');
    this.tasks.set(handle, {
      handle,
      sourceArn: source.arn,
      ...(input.DestinationArn !== undefined && { destinationArn: input.DestinationArn }),
      ...(perSecond !== undefined && { perSecond }),
      toMove: source.counts.visible,
      moved: 0,
      status: 'RUNNING',
      startedAtMs: clock.now(),
    });
    for (const { handle: old } of this.of(source.arn).slice(KEPT_PER_SOURCE)) this.tasks.delete(old);
    this.continueAfter(handle, 0);
    return { TaskHandle: handle };
  }

  list(input: ListMessageMoveTasksCommandInput): ListMessageMoveTasksResult {
    const source = this.source(input.SourceArn);
    const most = wholeNumber(input.MaxResults ?? 1, 'MaxResults', 1, 10, 'Must be between 1 and 10.');
    const Results = this.of(source.arn)
      .slice(0, most)
      .map((task) => ({
        ...(task.status === 'RUNNING' && { TaskHandle: task.handle }),
        Status: task.status,
        SourceArn: task.sourceArn,
        DestinationArn: task.destinationArn,
        MaxNumberOfMessagesPerSecond: task.perSecond,
        ApproximateNumberOfMessagesMoved: task.moved,
        ApproximateNumberOfMessagesToMove: task.toMove,
        FailureReason: task.failureReason,
        StartedTimestamp: task.startedAtMs,
      }));
    return { Results };
  }

  cancel({ TaskHandle: handle }: CancelMessageMoveTaskCommandInput): CancelMessageMoveTaskResult {
    if (handle === undefined) throw missingParameter('TaskHandle');
    const task = this.tasks.get(handle);
    if (task === undefined) throw new ServiceError('ResourceNotFoundException', 'Task does not exist.', 404);
    if (task.status !== 'RUNNING') throw refusal('Only active tasks can be cancelled.');
    this.timers.get(handle)?.();
    this.timers.delete(handle);
    this.tasks.set(handle, { ...task, status: 'CANCELLED' });
    return { ApproximateNumberOfMessagesMoved: task.moved };
  }

  stop(): void {
    for (const cancel of this.timers.values()) cancel();
    this.timers.clear();
  }

  /** Latest first. */
  private of(sourceArn: string): StoredMove[] {
    return [...this.tasks.values()]
      .filter((task) => task.sourceArn === sourceArn)
      .reverse()
      .sort((a, b) => b.startedAtMs - a.startedAtMs);
  }

  private source(arn: string | undefined): Queue {
    if (arn === undefined) throw missingParameter('SourceArn');
    const queue = this.registry.findByArn(arn);
    if (queue === undefined) throw notFound('SourceArn');
    return queue;
  }

  private destination(arn: string): Queue {
    const queue = this.registry.findByArn(arn);
    if (queue === undefined) throw notFound('DestinationArn');
    return queue;
  }

  private continueAfter(handle: string, delayMs: number): void {
    this.timers.set(
      handle,
      this.registry.context.clock.after(delayMs, () => {
        this.registry.context.state.atomically(() => this.moveSome(handle));
      }),
    );
  }

  /** One second's share. The task is complete when no visible message is left. */
  private moveSome(handle: string): void {
    this.timers.delete(handle);
    const task = this.tasks.get(handle);
    if (task === undefined || task.status !== 'RUNNING') return;
    const source = this.registry.findByArn(task.sourceArn);
    const touched = new Set<Queue>();
    let failureReason: string | undefined;
    const store = (message: QueuedMessage): boolean => {
      const arn = task.destinationArn ?? message.stored.sourceArn;
      const target = arn === undefined ? undefined : this.registry.findByArn(arn);
      if (target === undefined) {
        failureReason =
          arn === undefined ? 'CouldNotDetermineMessageSource' : 'AWS.SimpleQueueService.NonExistentQueue';
        return false;
      }
      send(this.registry, target, prepareMoved(target, message.stored));
      touched.add(target);
      return true;
    };
    const most = task.perSecond ?? MAXIMUM_PER_SECOND;
    let moved = 0;
    while (moved < most && source?.moveNext(store) === true) moved++;
    for (const queue of touched) queue.flush();
    const running = { ...task, moved: task.moved + moved };
    if (failureReason !== undefined) this.tasks.set(handle, { ...running, status: 'FAILED', failureReason });
    else if (moved < most) this.tasks.set(handle, { ...running, status: 'COMPLETED' });
    else {
      this.tasks.set(handle, running);
      this.continueAfter(handle, 1000);
    }
  }
}

const refusal = (message: string): ServiceError => new ServiceError('InvalidParameterValue', message);

const notFound = (name: string): ServiceError =>
  new ServiceError(
    'ResourceNotFoundException',
    `The resource that you specified for the ${name} parameter doesn't exist.`,
    404,
  );
