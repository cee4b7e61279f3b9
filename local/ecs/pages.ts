import { invalidParameter } from './errors.ts';

interface Sequenced {
  readonly sequence: number;
}

/** Iterators of pages that nobody came back for are dropped, oldest first. */
const MAX_OPEN = 256;

/**
 * Pages over sets that are ordered by `sequence` and may change between pages. A token names the last item served. The
 * iterator behind it is kept, as a set of 100,000 tasks would otherwise be walked from its start for every page.
 */
export class Pages<T extends Sequenced> {
  private readonly open = new Map<string, Iterator<T>>();

  /** `scope` tells apart listings with different filters; `items` must come in rising sequence. */
  page(
    scope: string,
    items: Iterable<T>,
    request: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
    wanted: (item: T) => boolean,
  ): { readonly items: readonly T[]; readonly nextToken?: string } {
    const limit = request.maxResults ?? 100;
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
      throw invalidParameter('maxResults should be between 1 and 100.');
    }
    const after = request.nextToken === undefined ? -1 : sequenceOf(request.nextToken);
    const key = `${scope} ${after}`;
    const iterator = (after === -1 ? undefined : this.open.get(key)) ?? items[Symbol.iterator]();
    this.open.delete(key);
    const found: T[] = [];
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
      if (next.value.sequence <= after || !wanted(next.value)) continue;
      found.push(next.value);
      if (found.length === limit) return { items: found, nextToken: this.keep(scope, next.value, iterator) };
    }
    return { items: found };
  }

  private keep(scope: string, last: T, iterator: Iterator<T>): string {
    this.open.set(`${scope} ${last.sequence}`, iterator);
    if (this.open.size > MAX_OPEN) {
      const oldest = this.open.keys().next();
      if (oldest.done !== true) this.open.delete(oldest.value);
    }
    return Buffer.from(`after:${last.sequence}`).toString('base64url');
  }
}

function sequenceOf(token: string): number {
  const match = /^after:(\d{1,15})$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) throw invalidParameter('Invalid token.');
  return Number(match[1]);
}
