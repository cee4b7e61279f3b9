import { ServiceError } from '../engine/service.ts';

/** One page of a list by name; the token is the last name shown. */
export function pageByName<T>(
  items: Iterable<T>,
  nameOf: (item: T) => string,
  limit: number | undefined,
  token: string | undefined,
): { readonly page: readonly T[]; readonly nextToken: string | undefined } {
  const most = limit ?? 100;
  if (!Number.isInteger(most) || most < 1 || most > 100) {
    throw new ServiceError('ValidationException', `Value '${most}' at 'limit' must be between 1 and 100.`);
  }
  const after = token === undefined ? undefined : Buffer.from(token, 'base64').toString();
  const rest = [...items]
    .filter((item) => after === undefined || nameOf(item) > after)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const page = rest.slice(0, most);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { page, nextToken: more ? Buffer.from(nameOf(last)).toString('base64') : undefined };
}
