import type { ObservedHost, ObservedTask } from '../ports/containers.ts';
import type { AlarmChange } from './cloudwatchAlarm/change.ts';
import { parseAlarmEvent } from './cloudwatchAlarm/eventBridge.ts';
import { parseAlarmAction } from './cloudwatchAlarm/lambdaAction.ts';
import { parseSnsAlarm } from './cloudwatchAlarm/sns.ts';
import { type MachineChange, parseEc2InstanceStateChange } from './ec2InstanceStateChange/parse.ts';
import {
  parseEc2RebalanceRecommendation,
  type RebalanceRecommendation,
} from './ec2RebalanceRecommendation/parse.ts';
import { parseEc2SpotInterruption, type SpotInterruption } from './ec2SpotInterruption/parse.ts';
import { parseEcsContainerInstanceStateChange } from './ecsContainerInstanceStateChange/parse.ts';
import { parseEcsTaskStateChange } from './ecsTaskStateChange/parse.ts';
import type { Parsed, Problem } from './problem.ts';
import { parseTaskRequested, type TaskRefused, type TaskRequested } from './taskRequested/event.ts';

/**
 * - `malformed`: of a known kind and not of its shape; `unknown`: of no kind that Berth reads. Both are logged and
 *   counted, and neither is tried again: a repeat would read the same.
 */
export type ParsedEvent =
  | TaskRequested
  | TaskRefused
  | { readonly kind: 'ecs-task'; readonly task: ObservedTask }
  | { readonly kind: 'ecs-host'; readonly host: ObservedHost }
  | ({ readonly kind: 'ec2-state' } & MachineChange)
  | ({ readonly kind: 'spot-interruption' } & SpotInterruption)
  | ({ readonly kind: 'rebalance-recommendation' } & RebalanceRecommendation)
  | { readonly kind: 'alarm'; readonly change: AlarmChange }
  | { readonly kind: 'malformed'; readonly parser: ParserName; readonly problems: readonly Problem[] }
  | { readonly kind: 'unknown'; readonly source: string; readonly detailType: string };

type Parser = (event: unknown) => Parsed<ParsedEvent>;

const parser =
  <T>(parse: (event: unknown) => Parsed<T>, wrap: (value: T) => ParsedEvent): Parser =>
  (event) => {
    const parsed = parse(event);
    return parsed.ok ? { ok: true, value: wrap(parsed.value) } : parsed;
  };

/** Every incoming kind by name. Each accepts its own kind only, which a test holds it to. */
export const incomingParsers = {
  'Task Requested': parseTaskRequested,
  'ECS Task State Change': parser(parseEcsTaskStateChange, (task) => ({ kind: 'ecs-task', task })),
  'ECS Container Instance State Change': parser(parseEcsContainerInstanceStateChange, (host) => ({
    kind: 'ecs-host',
    host,
  })),
  'EC2 Instance State-change Notification': parser(parseEc2InstanceStateChange, (change) => ({
    kind: 'ec2-state',
    ...change,
  })),
  'EC2 Spot Instance Interruption Warning': parser(parseEc2SpotInterruption, (warning) => ({
    kind: 'spot-interruption',
    ...warning,
  })),
  'EC2 Instance Rebalance Recommendation': parser(parseEc2RebalanceRecommendation, (advice) => ({
    kind: 'rebalance-recommendation',
    ...advice,
  })),
  'CloudWatch Alarm State Change': parser(parseAlarmEvent, (change) => ({ kind: 'alarm', change })),
  'SNS alarm': parser(parseSnsAlarm, (change) => ({ kind: 'alarm', change })),
  'Lambda alarm action': parser(parseAlarmAction, (change) => ({ kind: 'alarm', change })),
} as const satisfies Readonly<Record<string, Parser>>;

export type ParserName = keyof typeof incomingParsers;

/** AWS's own kinds come from one source each; a request may come from anyone. */
const sources: Readonly<Partial<Record<ParserName, string>>> = {
  'ECS Task State Change': 'aws.ecs',
  'ECS Container Instance State Change': 'aws.ecs',
  'EC2 Instance State-change Notification': 'aws.ec2',
  'EC2 Spot Instance Interruption Warning': 'aws.ec2',
  'EC2 Instance Rebalance Recommendation': 'aws.ec2',
  'CloudWatch Alarm State Change': 'aws.cloudwatch',
};

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parserFor(event: Fields): ParserName | undefined {
  const detailType = event['detail-type'];
  if (detailType === 'Task Requested') return detailType;
  if (typeof detailType === 'string') {
    const name = Object.keys(sources).find((known) => known === detailType) as ParserName | undefined;
    return name !== undefined && sources[name] === event.source ? name : undefined;
  }
  if (event.source === 'aws.cloudwatch' && 'alarmData' in event) return 'Lambda alarm action';
  if (event.Type === 'Notification' && 'Message' in event) return 'SNS alarm';
  const records = event.Records;
  const first: unknown = Array.isArray(records) ? records[0] : undefined;
  return isFields(first) && first.EventSource === 'aws:sns' ? 'SNS alarm' : undefined;
}

const named = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 128) : 'none');

/** Reads one event, in whichever of its wrappings it arrived. Never throws. */
export function parseIncoming(event: unknown): ParsedEvent {
  if (!isFields(event)) return { kind: 'unknown', source: 'none', detailType: 'none' };
  const name = parserFor(event);
  if (name === undefined) {
    return { kind: 'unknown', source: named(event.source), detailType: named(event['detail-type']) };
  }
  const parsed = incomingParsers[name](event);
  return parsed.ok ? parsed.value : { kind: 'malformed', parser: name, problems: parsed.problems };
}
