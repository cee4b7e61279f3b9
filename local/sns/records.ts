import type { ShippedAttribute } from '../events/outbox.ts';

export interface StoredTopic {
  readonly arn: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StoredSubscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: 'sqs' | 'lambda';
  readonly endpoint: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A message that was published, before it is dressed for a subscriber. */
export interface Published {
  readonly id: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  /** The text for each protocol; `default` where a protocol has none of its own. */
  readonly textFor: (protocol: string) => string;
  readonly attributes: Readonly<Record<string, ShippedAttribute>>;
  readonly publishedAtMs: number;
}
