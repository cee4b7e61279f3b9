import { parseTaskRequested } from '../../events/taskRequested/event.ts';
import { parseWake } from '../../events/wake.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DeadLetter, DeadLetterCount, DeadLetters } from '../../ports/deadLetters.ts';
import type { Store } from '../../ports/store.ts';
import { taskIdOf } from '../taskId.ts';

export interface DeadLetterWorld {
  readonly store: Pick<Store, 'getTask' | 'getCluster'>;
  readonly clock: Clock;
  readonly deadLetters: DeadLetters;
}

/** One message that was given up, and what is known of why. */
export interface ExplainedLetter {
  readonly messageId: string;
  readonly ageSeconds: number;
  /** What it is about, in a few words. */
  readonly about: string;
  /** The first of the tasks that it asked for. */
  readonly taskId?: string;
  readonly why: string;
  readonly next: string;
}

/** The function that gave up, by queue: its log names the error. */
const functions: Readonly<Record<string, string>> = {
  launch: 'accept',
  observe: 'observe',
  scale: 'scale',
  wake: 'schedule',
  lateWake: 'schedule',
  provision: 'provision',
  publish: 'publish',
};

export const countDeadLetters = async ({
  deadLetters,
}: Pick<DeadLetterWorld, 'deadLetters'>): Promise<readonly DeadLetterCount[]> =>
  Promise.all(deadLetters.queues.map((queue) => deadLetters.count(queue)));

/** What a queue holds, the oldest first. */
export async function listDeadLetters(
  world: DeadLetterWorld,
  queue: string,
  limit: number,
): Promise<DeadLetterCount & { readonly letters: readonly ExplainedLetter[] }> {
  const count = await world.deadLetters.count(queue);
  const letters = await world.deadLetters.list(queue, limit);
  const oldestFirst = letters.toSorted((a, b) => a.sentAt - b.sentAt);
  return { ...count, letters: await Promise.all(oldestFirst.map((letter) => explain(world, queue, letter))) };
}

/** One message with its body; nothing when the queue does not show it. */
export async function explainDeadLetter(
  world: DeadLetterWorld,
  queue: string,
  messageId: string,
): Promise<(ExplainedLetter & { readonly queue: string; readonly body: string }) | undefined> {
  const letter = await world.deadLetters.find(queue, messageId);
  return letter && { queue, ...(await explain(world, queue, letter)), body: letter.body };
}

async function explain(world: DeadLetterWorld, queue: string, letter: DeadLetter): Promise<ExplainedLetter> {
  const known = await aboutOf(world, letter.body);
  const name = `berth-${functions[queue] ?? queue}`;
  const log = `the log of ${name} names the error beside messageId ${letter.messageId}`;
  const why =
    letter.undelivered !== undefined
      ? `EventBridge could not deliver it: ${letter.undelivered}`
      : queue === 'publish'
        ? 'changes could not be announced a hundred times; it names their place in the table’s stream, not the changes'
        : `${name} failed on it ten times. What is malformed or refused is not tried again, so that a call that it ` +
          `makes failed each time (the table, ECS, EC2 or a queue): ${log}`;
  return {
    messageId: letter.messageId,
    ageSeconds: Math.max(0, Math.round((world.clock.now() - letter.sentAt) / 1000)),
    about: known.about,
    ...(known.taskId !== undefined && { taskId: known.taskId }),
    why,
    next: queue === 'publish' ? 'ask explain for the tasks concerned; there is no way back' : known.next,
  };
}

interface About {
  readonly about: string;
  readonly taskId?: string;
  readonly next: string;
}

const AGAIN = 'redrive it once the cause is mended; what it had done by then is not done twice';

async function aboutOf({ store }: DeadLetterWorld, body: string): Promise<About> {
  let event: Readonly<Record<string, unknown>> | null;
  try {
    event = JSON.parse(body) as Readonly<Record<string, unknown>> | null;
  } catch {
    return { about: 'no JSON', next: 'a redrive only drops it: correct it and send it anew' };
  }
  const requested = parseTaskRequested(event);
  if (requested.ok && requested.value.kind === 'task-requested') {
    const { source, eventId, request } = requested.value;
    const taskId = taskIdOf(source, request.idempotencyKey ?? eventId, 0);
    const task = await store.getTask(taskId);
    const about = `Task Requested for ${request.taskDefinition} from ${source}`;
    if (task === undefined) return { about, taskId, next: `its task is not on record: ${AGAIN}` };
    return { about, taskId, next: `its task is on record, ${task.state}: a redrive joins it` };
  }
  const wake = parseWake(body);
  if (wake) {
    const cluster = await store.getCluster(wake.cluster);
    const about = `a wake of ${wake.cluster}: ${wake.reason}`;
    return {
      about,
      next: cluster ? AGAIN : `the cluster ${wake.cluster} is not on record: declare it first`,
    };
  }
  const kind = event?.['detail-type'];
  return { about: typeof kind === 'string' ? kind : 'an event without a detail-type', next: AGAIN };
}
