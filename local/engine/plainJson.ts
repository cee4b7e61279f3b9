/**
 * The value as JSON would bring it to the other side (dates as ISO 8601, `undefined` members left out), without the
 * text in between: events are made by the thousand.
 */
export function plainJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plainJson);
  const copy: Record<string, unknown> = {};
  for (const key in value) {
    const member = (value as Readonly<Record<string, unknown>>)[key];
    if (member !== undefined) copy[key] = plainJson(member);
  }
  return copy;
}
