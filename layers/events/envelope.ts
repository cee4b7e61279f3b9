import * as v from 'valibot';
import { found, type Parsed, type Problem } from './problem.ts';
import type { AnySchema } from './schemaNode.ts';

/** An instant as AWS writes it, read into epoch ms: `Z`, `+00:00` or, in alarms, `+0000`. */
export const instant = v.pipe(
  v.string(),
  v.maxLength(64),
  v.transform((text) => Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))),
  v.number('Invalid instant: expected an ISO 8601 date and time'),
  v.finite('Invalid instant: expected an ISO 8601 date and time'),
);

const shortText = v.pipe(v.string(), v.minLength(1), v.maxLength(512));

/** EventBridge's envelope around one kind of detail. Fields that AWS may add are let through and dropped. */
export const envelope = <S extends v.GenericSchema<string>, D extends AnySchema>(
  source: S,
  detailType: string,
  detail: D,
) =>
  v.object({
    id: shortText,
    source,
    'detail-type': v.literal(detailType),
    time: instant,
    account: v.exactOptional(v.string()),
    region: v.exactOptional(v.string()),
    resources: v.exactOptional(v.array(v.string()), []),
    detail,
  });

/** Says what in an event of AWS's own is not as AWS documents it. Nobody can mend such an event: it is for the log. */
export function problemsOf(issues: readonly v.BaseIssue<unknown>[]): Problem[] {
  return issues.slice(0, 10).map((issue) => ({
    field: v.getDotPath(issue as Parameters<typeof v.getDotPath>[0]) ?? '',
    rule: `${issue.message.replace(/\.$/, '')}; it is ${found(issue.input)}.`,
    fix: 'Report it with the event: its shape is not the documented one.',
  }));
}

export function parseShape<S extends AnySchema>(schema: S, event: unknown): Parsed<v.InferOutput<S>> {
  const result = v.safeParse(schema, event);
  return result.success
    ? { ok: true, value: result.output }
    : { ok: false, problems: problemsOf(result.issues) };
}
