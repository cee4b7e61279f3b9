/** An event Berth announces, already in its outgoing shape (`layers/events/out`). */
export interface OutgoingEvent {
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources: readonly string[];
}

/** What is announced to the world. */
export interface Announcements {
  /** Throws when any entry was not taken, naming it; the caller repeats the batch (consumers see at-least-once). */
  publish(events: readonly OutgoingEvent[]): Promise<void>;
}

/** What Berth's own functions ask of each other. */
export interface Wakes {
  /** Asks for a pass over the cluster. */
  wake(
    cluster: string,
    reason: string,
    options?: {
      /** What it is about: the queue's index may not show them yet. */
      readonly taskIds?: readonly string[];
      /**
       * The only hosts that what it is about has changed, none if it is empty: the pass may do without reading the others.
       * Absent: it has to see them all.
       */
      readonly changedHosts?: readonly string[];
      readonly delayMs?: number;
    },
  ): Promise<void>;
  /** Asks for capacity for what is pending in the cluster. */
  provision(
    cluster: string,
    reason: string,
    options?: { readonly taskIds?: readonly string[] },
  ): Promise<void>;
}

export interface Bus extends Announcements, Wakes {}
