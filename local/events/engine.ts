import type {
  PutEventsCommandInput,
  PutEventsResponse,
  TestEventPatternCommandInput,
  TestEventPatternResponse,
} from '@aws-sdk/client-eventbridge';
import {
  type AwsEvent,
  type Deliverer,
  type EngineContext,
  type EventSink,
  type Service,
  ServiceError,
} from '../engine/service.ts';
import { uuidOf } from '../engine/uuid.ts';
import { type Bus, Buses, DEFAULT_BUS } from './buses.ts';
import { busOperations } from './busOperations.ts';
import { InvalidInput } from './failure.ts';
import type { BusEvent } from './input.ts';
import { Outbox } from './outbox.ts';
import { flatten } from './pattern/fields.ts';
import { matches } from './pattern/match.ts';
import { patternMatcher } from './pattern/patternMatcher.ts';
import { type AcceptedEntry, putEvents } from './putEvents.ts';
import { type CompiledTarget, isEnabled, type Rule } from './rule.ts';
import { ruleOperations } from './ruleOperations.ts';

/** EventBridge: the service, and how other engines put AWS events on the default bus. */
export interface Events extends EventSink {
  readonly service: Service;
  /** Deliveries that no target has taken yet. */
  readonly pending: number;
  /**
   * Begins to deliver, with what an earlier process left, and to fire scheduled rules. To be called when every target is
   * in place: before, a function that is not registered yet would look like one that is gone.
   */
  start(): void;
  stop(): void;
}

/** With this ceiling, 185 attempts take about a day, which are EventBridge's two defaults. */
const LONGEST_WAIT_MS = 480_000;

type Envelope = Omit<AcceptedEntry, 'busName' | 'timeMs'> & { readonly timeMs: number };

/**
 * Every event is matched and its deliveries are stored before PutEvents answers or `emit` returns; the first attempt
 * of each has begun by then. Faults: `events.deliver` with the rule's name (error, lost-answer, duplicate, delay; drop
 * only for the best-effort events of `emit`).
 */
export function createEvents(
  context: EngineContext,
  { deliverer }: { readonly deliverer: Deliverer },
): Events {
  const { clock } = context;
  const outbox = new Outbox(context, {
    name: 'events.deliveries',
    deliverer,
    faultPoint: 'events.deliver',
    longestWaitMs: LONGEST_WAIT_MS,
    describe: ({ targetArn, failures }, { kind, code, message }, exhausted) => ({
      TARGET_ARN: targetArn,
      ERROR_CODE: kind,
      ERROR_MESSAGE: message || code,
      RETRY_ATTEMPTS: String(failures),
      ...(exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
    }),
  });
  const buses = new Buses(context, (rule, atMs) => {
    const envelope = scheduledEvent(rule, atMs);
    deliverTo(rule, makeEvent(envelope), true);
  });

  const makeEvent = ({ source, detailType, detail, detailText, resources, timeMs }: Envelope): BusEvent => {
    const head = {
      version: '0',
      id: uuidOf(context.hex(32)),
      'detail-type': detailType,
      source,
      account: context.accountId,
      time: `${new Date(timeMs).toISOString().slice(0, 19)}Z`,
      region: context.region,
      resources,
    };
    return {
      json: { ...head, detail },
      // The detail as it came: parsing it would round numbers beyond 2^53.
      text: `${JSON.stringify(head).slice(0, -1)},"detail":${detailText}}`,
      receivedAtMs: clock.now(),
    };
  };

  const deliverTo = (rule: Rule, event: BusEvent, bestEffort: boolean): void => {
    for (const compiled of rule.targets) shipTo(outbox, rule, compiled, event, bestEffort);
  };

  const put = (bus: Bus, envelope: Envelope, bestEffort: boolean): string => {
    const event = makeEvent(envelope);
    const fields = flatten(event.json, bus.steps);
    for (const rule of bus.rules.values()) {
      if (rule.pattern !== undefined && isEnabled(rule) && matches(rule.pattern, fields)) {
        deliverTo(rule, event, bestEffort);
      }
    }
    return String(event.json.id);
  };

  const accept = (entry: AcceptedEntry): string => {
    const bus = buses.find(entry.busName);
    if (bus === undefined) {
      // The real service takes the event, answers with an id and never delivers it.
      context.log(
        `events: there is no event bus ${entry.busName}; an event from ${entry.source} goes nowhere`,
      );
      return uuidOf(context.hex(32));
    }
    return put(bus, { ...entry, timeMs: entry.timeMs ?? clock.now() }, false);
  };

  return {
    service: {
      signingName: 'events',
      operations: {
        ...busOperations(buses, clock),
        ...ruleOperations(buses, clock),
        PutEvents: (input: PutEventsCommandInput): PutEventsResponse =>
          context.state.atomically(() => putEvents(input, accept)),
        TestEventPattern: testEventPattern,
      },
    },
    emit(event: AwsEvent): void {
      const envelope: Envelope = {
        source: event.source,
        detailType: event['detail-type'],
        detail: event.detail as Envelope['detail'],
        detailText: JSON.stringify(event.detail),
        resources: event.resources,
        timeMs: event.timeMs ?? clock.now(),
      };
      context.state.atomically(() => put(buses.get(DEFAULT_BUS), envelope, true));
    },
    get pending() {
      return outbox.size;
    },
    start() {
      outbox.start();
      buses.start();
    },
    stop() {
      buses.stop();
      outbox.stop();
    },
  };
}

function shipTo(
  outbox: Outbox,
  rule: Rule,
  { target, render, limits }: CompiledTarget,
  event: BusEvent,
  bestEffort: boolean,
): void {
  const { stored, arn } = rule;
  let body: string;
  try {
    body = render(event, { arn, name: stored.name });
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    body = '';
  }
  outbox.ship({
    targetArn: target.Arn,
    body,
    limits,
    faultDetail: stored.name,
    bestEffort,
    ...(body === '' && { unusable: `The input of target ${target.Id} is not valid JSON for this event.` }),
    ...(target.SqsParameters?.MessageGroupId !== undefined && {
      messageGroupId: target.SqsParameters.MessageGroupId,
    }),
    ...(target.DeadLetterConfig?.Arn !== undefined && {
      deadLetter: {
        arn: target.DeadLetterConfig.Arn,
        attributes: { RULE_ARN: arn },
        ...(body !== event.text && { body: event.text }),
      },
    }),
  });
}

const scheduledEvent = ({ arn }: Rule, atMs: number): Envelope => ({
  source: 'aws.events',
  detailType: 'Scheduled Event',
  detail: {},
  detailText: '{}',
  resources: [arn],
  timeMs: atMs,
});

const REQUIRED_FIELDS = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];

function testEventPattern({
  EventPattern = '',
  Event = '',
}: TestEventPatternCommandInput): TestEventPatternResponse {
  let event: unknown;
  try {
    event = JSON.parse(Event);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServiceError('ValidationException', `Parameter Event is not valid. Reason: ${reason}`);
  }
  for (const field of REQUIRED_FIELDS) {
    if (typeof event !== 'object' || event === null || !(field in event)) {
      throw new ServiceError(
        'ValidationException',
        `Parameter Event is not valid. Reason: ${field} is a required field`,
      );
    }
  }
  return { Result: patternMatcher(EventPattern)(event) };
}
