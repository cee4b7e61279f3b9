import type { EngineContext } from '../engine/service.ts';
import type { Collection } from '../engine/state.ts';
import { notFound } from './errors.ts';
import { compileFilter, type Filter } from './filter.ts';
import type { StoredSubscription, StoredTopic } from './records.ts';

/** A subscription ready for messages. */
export interface Subscription {
  readonly stored: StoredSubscription;
  readonly filter: Filter;
}

/** The topics and subscriptions of the account and Region. */
export class Topics {
  private readonly context: EngineContext;
  private readonly topics: Collection<StoredTopic>;
  private readonly stored: Collection<StoredSubscription>;
  private readonly subscriptions = new Map<string, Map<string, Subscription>>();

  constructor(context: EngineContext) {
    this.context = context;
    this.topics = context.state.collection('sns.topics');
    this.stored = context.state.collection('sns.subscriptions');
    for (const subscription of this.stored.values()) this.keep(subscription);
  }

  arn(name: string): string {
    return `arn:aws:sns:${this.context.region}:${this.context.accountId}:${name}`;
  }

  all(): StoredTopic[] {
    return [...this.topics.values()];
  }

  find(arn: string): StoredTopic | undefined {
    return this.topics.get(arn);
  }

  get(arn: string | undefined): StoredTopic {
    const topic = this.topics.get(arn ?? '');
    if (topic === undefined) throw notFound('Topic');
    return topic;
  }

  put(topic: StoredTopic): void {
    this.topics.set(topic.arn, topic);
  }

  /** Its subscriptions go with it. */
  remove(arn: string): void {
    for (const { stored } of this.of(arn)) this.stored.delete(stored.arn);
    this.subscriptions.delete(arn);
    this.topics.delete(arn);
  }

  allSubscriptions(): StoredSubscription[] {
    return [...this.stored.values()];
  }

  of(topicArn: string): Iterable<Subscription> {
    return this.subscriptions.get(topicArn)?.values() ?? [];
  }

  subscription(arn: string | undefined): StoredSubscription {
    const subscription = this.stored.get(arn ?? '');
    if (subscription === undefined) throw notFound('Subscription');
    return subscription;
  }

  /** Compiles first, so that a malformed filter changes nothing. */
  putSubscription(subscription: StoredSubscription): void {
    this.keep(subscription);
    this.stored.set(subscription.arn, subscription);
  }

  removeSubscription({ arn, topicArn }: StoredSubscription): void {
    this.stored.delete(arn);
    this.subscriptions.get(topicArn)?.delete(arn);
  }

  private keep(stored: StoredSubscription): void {
    const filter = compileFilter(stored.attributes.FilterPolicy, stored.attributes.FilterPolicyScope);
    const siblings = this.subscriptions.get(stored.topicArn) ?? new Map<string, Subscription>();
    siblings.set(stored.arn, { stored, filter });
    this.subscriptions.set(stored.topicArn, siblings);
  }
}
