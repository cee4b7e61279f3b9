import type { PutEventsCommandInput } from '@aws-sdk/client-eventbridge';
import type { Ask } from '../decide.ts';
import { type Account, arnOf } from './account.ts';

interface QueueInput {
  readonly QueueUrl?: string;
  readonly SourceArn?: string;
  readonly DestinationArn?: string;
}

export function sqsAsks(operation: string, body: unknown, account: Account): Ask[] {
  const { QueueUrl, SourceArn, DestinationArn } = body as QueueInput;
  const on = (names: readonly string[], resource: string): Ask[] =>
    names.map((name) => ({ action: `sqs:${name}`, resource }));
  if (SourceArn !== undefined) {
    // A move reads and deletes in its caller's name, and sends where it is told to.
    const moves =
      operation === 'StartMessageMoveTask' ? ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'] : [];
    return [
      ...on([operation, ...moves], SourceArn),
      ...(DestinationArn === undefined ? [] : on(['SendMessage'], DestinationArn)),
    ];
  }
  // The batch of an action is the same permission.
  const action = operation.replace(/Batch$/, '');
  if (QueueUrl === undefined) return on([action], '*');
  return on([action], arnOf(account, 'sqs', QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1)));
}

export function eventsAsks(operation: string, body: unknown, account: Account): Ask[] {
  if (operation !== 'PutEvents') return [{ action: `events:${operation}`, resource: '*' }];
  const { Entries = [] } = body as PutEventsCommandInput;
  const buses = new Set(Entries.map(({ EventBusName = 'default' }) => EventBusName));
  return [...buses].map((bus) => ({
    action: 'events:PutEvents',
    resource: arnOf(account, 'events', bus.startsWith('arn:') ? bus : `event-bus/${bus}`),
  }));
}

export function logsAsks(operation: string, body: unknown, account: Account): Ask[] {
  const { logGroupName, logStreamName = '' } = body as { logGroupName?: string; logStreamName?: string };
  const resource =
    logGroupName === undefined
      ? '*'
      : arnOf(account, 'logs', `log-group:${logGroupName}:log-stream:${logStreamName}`);
  return [{ action: `logs:${operation}`, resource }];
}
