import { invalidParameter } from './errors.ts';

/** A page of a short list that is sorted anew for each call. */
export function offsetPage<T>(
  items: readonly T[],
  request: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
): { readonly items: T[]; readonly nextToken?: string } {
  const limit = request.maxResults ?? 100;
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
    throw invalidParameter('maxResults should be between 1 and 100.');
  }
  const from = request.nextToken === undefined ? 0 : Number(request.nextToken);
  if (!Number.isInteger(from) || from < 0) throw invalidParameter('Invalid token.');
  const page = items.slice(from, from + limit);
  return from + limit < items.length ? { items: page, nextToken: String(from + limit) } : { items: page };
}
