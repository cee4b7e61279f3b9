import type { AwsEvent, Deliverer, EngineContext, EventSink } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import type { AlarmHistory } from './alarmHistory.ts';

type Letter = { readonly id: string; readonly alarmName: string; readonly tries: number } & (
  | { readonly kind: 'event'; readonly event: AwsEvent }
  | { readonly kind: 'action'; readonly targetArn: string; readonly body: string }
);

export type NewLetter =
  | { readonly kind: 'event'; readonly event: AwsEvent }
  | { readonly kind: 'action'; readonly targetArn: string; readonly body: string };

const MAX_TRIES = 10;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/**
 * What alarms have to announce. A letter is durable before the alarm's new state is, and leaves once it is delivered:
 * the service guarantees both the event and the action, and so must an engine that can be killed at any instant.
 */
export class Outbox {
  readonly #context: EngineContext;
  readonly #events: EventSink;
  readonly #deliverer: Deliverer;
  readonly #history: AlarmHistory;
  readonly #letters: Collection<Letter>;

  constructor(context: EngineContext, events: EventSink, deliverer: Deliverer, history: AlarmHistory) {
    this.#context = context;
    this.#events = events;
    this.#deliverer = deliverer;
    this.#history = history;
    this.#letters = context.state.collection<Letter>('cloudwatch.outbox');
  }

  /** Makes letters durable; `send` them when the state they tell of is durable, too. */
  write(alarmName: string, letters: readonly NewLetter[]): readonly string[] {
    return letters.map((letter) => {
      const id = this.#context.hex(32);
      this.#letters.set(id, { ...letter, id, alarmName, tries: 0 });
      return id;
    });
  }

  send(ids: readonly string[]): void {
    for (const id of ids) {
      const letter = this.#letters.get(id);
      if (letter) void this.#deliver(letter);
    }
  }

  /** Sends what an earlier process left. */
  resume(): void {
    this.send([...this.#letters.values()].map(({ id }) => id));
  }

  async #deliver(letter: Letter): Promise<void> {
    try {
      if (letter.kind === 'event') this.#events.emit(letter.event);
      else await this.#deliverer.deliver(letter.targetArn, letter.body);
      this.#letters.delete(letter.id);
      if (letter.kind === 'action') {
        this.#history.add(letter.alarmName, 'Action', `Successfully executed action ${letter.targetArn}`);
      }
    } catch (error) {
      this.#retry(letter, error);
    }
  }

  #retry(letter: Letter, error: unknown): void {
    const tries = letter.tries + 1;
    const what = letter.kind === 'action' ? letter.targetArn : 'the event bus';
    this.#context.log(`cloudwatch: alarm ${letter.alarmName} did not reach ${what}: ${String(error)}`);
    if (tries >= MAX_TRIES) {
      this.#letters.delete(letter.id);
      this.#history.add(letter.alarmName, 'Action', `Failed to execute action ${what}. ${String(error)}`);
      return;
    }
    const again: Letter = { ...letter, tries };
    this.#letters.set(letter.id, again);
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** (tries - 1), MAX_RETRY_MS);
    this.#context.clock.after(waitMs, () => this.#deliver(again));
  }
}
