import type { DeadLetter, DeadLetters } from '../../layers/ports/deadLetters.ts';
import type { SimQueue } from './queue.ts';

/** The port over the simulator's queues. */
export function simDeadLetters(queues: Readonly<Record<string, SimQueue>>): DeadLetters {
  const deadOf = (name: string) => queues[name]?.dead ?? [];
  const letters = (name: string): DeadLetter[] =>
    deadOf(name).map(({ id, body, group, sentAt }) => ({
      messageId: id,
      body,
      sentAt,
      ...(group !== '' && { group }),
    }));
  return {
    queues: Object.keys(queues),
    count: async (queue) => ({ queue, messages: deadOf(queue).length, inFlight: 0 }),
    list: async (queue, limit) => letters(queue).slice(0, limit),
    find: async (queue, messageId) => letters(queue).find((letter) => letter.messageId === messageId),
    async redriveAll(queue) {
      queues[queue]?.redrive();
      return 'started';
    },
    redriveOne: async (queue, messageId) =>
      queues[queue]?.redriveOne(messageId) === true ? 'redriven' : 'unknown',
  };
}
