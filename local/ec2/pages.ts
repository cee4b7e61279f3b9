import { ec2Error, invalidValue } from './errors.ts';

interface PageRequest {
  readonly NextToken?: string | undefined;
  readonly MaxResults?: number | undefined;
}

/** Where a page of `total` items begins and ends; tokens are opaque to callers and name an offset. */
export function pageBounds(
  total: number,
  request: PageRequest,
  defaultSize: number,
): { readonly from: number; readonly to: number; readonly nextToken?: string } {
  const size = request.MaxResults ?? defaultSize;
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    throw invalidValue(
      `Value ( ${size} ) for parameter maxResults is invalid. Expecting a value between 1 and 1000.`,
    );
  }
  const from = request.NextToken === undefined || request.NextToken === '' ? 0 : offsetOf(request.NextToken);
  const to = Math.min(from + size, total);
  if (to === total) return { from, to };
  return { from, to, nextToken: Buffer.from(`offset:${to}`).toString('base64url') };
}

/** A page of a list that is made anew for each call. */
export function offsetPage<T>(
  items: readonly T[],
  request: PageRequest,
  defaultSize: number,
): { readonly items: readonly T[]; readonly nextToken?: string } {
  const { from, to, nextToken } = pageBounds(items.length, request, defaultSize);
  const page = items.slice(from, to);
  return nextToken === undefined ? { items: page } : { items: page, nextToken };
}

function offsetOf(token: string): number {
  const match = /^offset:(\d{1,9})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw ec2Error('InvalidNextToken', 'The specified next token is invalid.');
  return Number(match[1]);
}
