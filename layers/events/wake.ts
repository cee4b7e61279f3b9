import * as v from 'valibot';

/** What the wake and provision queues carry: which cluster, why, the tasks it is about, and the only hosts it has changed. */
const wakeSchema = v.object({
  cluster: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  reason: v.string(),
  taskIds: v.array(v.pipe(v.string(), v.maxLength(64))),
  changedHosts: v.optional(v.array(v.pipe(v.string(), v.maxLength(64)))),
});

export type Wake = v.InferOutput<typeof wakeSchema>;

/** A message's body as a wake, or nothing when it is none. */
export function parseWake(body: string): Wake | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(wakeSchema, value);
  return parsed.success ? parsed.output : undefined;
}
