const PAGE_SIZE = 100;

/** SNS lists come in pages of a hundred; the token is the ARN of the last one shown. */
export function pageOf<T>(
  items: readonly T[],
  arnOf: (item: T) => string,
  token: string | undefined,
): { readonly page: readonly T[]; readonly nextToken: string | undefined } {
  const after = token === undefined ? undefined : Buffer.from(token, 'base64').toString();
  const rest = items
    .filter((item) => after === undefined || arnOf(item) > after)
    .sort((a, b) => (arnOf(a) < arnOf(b) ? -1 : 1));
  const page = rest.slice(0, PAGE_SIZE);
  const last = page.at(-1);
  const more = rest.length > page.length && last !== undefined;
  return { page, nextToken: more ? Buffer.from(arnOf(last)).toString('base64') : undefined };
}
