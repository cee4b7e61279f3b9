import type * as api from '@aws-sdk/client-cloudwatch-logs';
import { embeddedMetrics } from '../cloudwatch/embeddedMetrics.ts';
import { type MetricRecorder, noMetrics } from '../cloudwatch/metricRecorder.ts';
import { type EngineContext, type Operations, type Service, ServiceError } from '../engine/service.ts';
import { groupNameOf } from './groupName.ts';
import { type LogBounds, type LogGroup, LogStore, type LogStream } from './logStore.ts';
import type { LogWriter } from './logWriter.ts';
import { readOperations } from './readOperations.ts';
import { writeOperations } from './writeOperations.ts';

export interface LogsOptions extends LogBounds {
  /** Gets the metrics that log lines in the embedded metric format carry. */
  readonly metrics?: MetricRecorder;
}

/** The CloudWatch Logs engine. Other engines write through `append`, which makes groups and streams as needed. */
export interface Logs extends LogWriter {
  readonly service: Service;
  /** Makes the group if it is not there, as a template is applied again and again. */
  createLogGroup(name: string, retentionDays?: number): void;
}

function page<T>(
  all: readonly T[],
  token: string | undefined,
  limit: number,
): { items: T[]; nextToken?: string } {
  const start = token ? Number.parseInt(token, 36) : 0;
  if (Number.isNaN(start)) {
    throw new ServiceError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  const end = start + limit;
  return { items: all.slice(start, end), ...(end < all.length ? { nextToken: end.toString(36) } : {}) };
}

function describeOperations(context: EngineContext, store: LogStore): Operations {
  const arnOf = (group: LogGroup): string =>
    `arn:aws:logs:${context.region}:${context.accountId}:log-group:${group.name}`;
  const describeStream = (group: LogGroup, stream: LogStream): api.LogStream => ({
    logStreamName: stream.name,
    creationTime: stream.createdMs,
    firstEventTimestamp: stream.firstEventMs,
    lastEventTimestamp: stream.lastEventMs,
    lastIngestionTime: stream.lastIngestionMs,
    uploadSequenceToken: '0',
    arn: `${arnOf(group)}:log-stream:${stream.name}`,
    storedBytes: 0,
  });
  return {
    DescribeLogGroups(input: api.DescribeLogGroupsCommandInput) {
      const { logGroupNamePrefix: prefix = '', logGroupNamePattern: pattern = '' } = input;
      const wanted = store.groups().filter(({ name }) => name.startsWith(prefix) && name.includes(pattern));
      const { items, nextToken } = page(wanted, input.nextToken, input.limit ?? 50);
      const logGroups: api.LogGroup[] = items.map((group) => ({
        logGroupName: group.name,
        creationTime: group.createdMs,
        ...(group.retentionDays === undefined ? {} : { retentionInDays: group.retentionDays }),
        metricFilterCount: 0,
        arn: `${arnOf(group)}:*`,
        logGroupArn: arnOf(group),
        storedBytes: group.storedChars,
        logGroupClass: 'STANDARD',
      }));
      return { logGroups, ...(nextToken ? { nextToken } : {}) };
    },
    DescribeLogStreams(input: api.DescribeLogStreamsCommandInput) {
      const group = store.get(groupNameOf(input));
      const { logStreamNamePrefix: prefix = '' } = input;
      const wanted = [...group.streams.values()].filter(({ name }) => name.startsWith(prefix));
      if (input.orderBy === 'LastEventTime') {
        wanted.sort((left, right) => (left.lastEventMs ?? 0) - (right.lastEventMs ?? 0));
      } else {
        wanted.sort((left, right) => (left.name < right.name ? -1 : 1));
      }
      if (input.descending) wanted.reverse();
      const { items, nextToken } = page(wanted, input.nextToken, input.limit ?? 50);
      return {
        logStreams: items.map((stream) => describeStream(group, stream)),
        ...(nextToken ? { nextToken } : {}),
      };
    },
  };
}

export function createLogs(context: EngineContext, options: LogsOptions = {}): Logs {
  const store = new LogStore(context, options);
  const metrics = options.metrics ?? noMetrics;
  const append: LogWriter['append'] = (groupName, streamName, lines) => {
    const group = store.find(groupName) ?? store.create(groupName);
    if (!group.streams.has(streamName)) group.createStream(streamName, context.clock.now());
    store.append(group, streamName, lines);
    const measurements = lines.flatMap(({ message }) => embeddedMetrics(message));
    if (measurements.length > 0) metrics.record(measurements);
  };
  return {
    service: {
      signingName: 'logs',
      operations: {
        ...describeOperations(context, store),
        ...writeOperations(store, { append }, context.clock),
        ...readOperations(store, context.clock),
      },
    },
    append,
    createLogGroup(name, retentionDays) {
      if (!store.find(name)) store.create(groupNameOf({ logGroupName: name }));
      store.retain(name, retentionDays);
    },
  };
}
