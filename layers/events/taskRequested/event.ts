import * as v from 'valibot';
import { envelope, parseShape } from '../envelope.ts';
import type { Parsed, Problem } from '../problem.ts';
import { parseTaskRequest, type TaskRequest } from './parse.ts';
import { taskRequestSchema } from './schema.ts';

const source = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

/** The whole event, for the JSON Schema. */
export const taskRequestedSchema = envelope(source, 'Task Requested', taskRequestSchema);
const anyTaskRequested = envelope(source, 'Task Requested', v.unknown());

export interface TaskRequested {
  readonly kind: 'task-requested';
  readonly eventId: string;
  readonly source: string;
  readonly time: number;
  readonly request: TaskRequest;
}

/** A request that breaks a rule. It is answered with `Task Rejected`, as far as it says who asked and for what. */
export interface TaskRefused {
  readonly kind: 'task-refused';
  readonly eventId: string;
  readonly source: string;
  readonly time: number;
  readonly problems: readonly Problem[];
  readonly cluster?: string;
  readonly idempotencyKey?: string;
}

function textIn(detail: unknown, key: string): string | undefined {
  const value = (detail as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return typeof value === 'string' ? value.slice(0, 256) : undefined;
}

/** A bad envelope is not EventBridge's and a problem of its own; a bad detail is a refusal. */
export function parseTaskRequested(event: unknown): Parsed<TaskRequested | TaskRefused> {
  const parsed = parseShape(anyTaskRequested, event);
  if (!parsed.ok) return parsed;
  const { id: eventId, source: from, time, detail } = parsed.value;
  const request = parseTaskRequest(detail);
  if (request.ok) {
    return {
      ok: true,
      value: { kind: 'task-requested', eventId, source: from, time, request: request.value },
    };
  }
  const cluster = textIn(detail, 'cluster');
  const idempotencyKey = textIn(detail, 'idempotencyKey');
  return {
    ok: true,
    value: {
      kind: 'task-refused',
      eventId,
      source: from,
      time,
      problems: request.problems,
      ...(cluster === undefined ? {} : { cluster }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    },
  };
}
