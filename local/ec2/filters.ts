import type { Filter } from '@aws-sdk/client-ec2';
import { ec2Error } from './errors.ts';

/** What a resource has under each filter name. */
export type Fields = Readonly<Record<string, readonly string[]>>;

export interface ParsedFilter {
  readonly name: string;
  readonly values: readonly string[];
  readonly test: (value: string) => boolean;
}

/** EC2: 200 filter values in one request. */
const MAX_VALUES = 200;

/** Throws for a filter the operation does not have. `tag:<key>` and `tag-key` are known when `tag-key` is. */
export function parseFilters(
  filters: readonly Filter[] | undefined,
  known: readonly string[],
): ParsedFilter[] {
  let count = 0;
  return (filters ?? []).map(({ Name: name = '', Values: values = [] }) => {
    const isTag = name.startsWith('tag:') && known.includes('tag-key');
    if (!isTag && !known.includes(name)) {
      throw ec2Error('InvalidParameterValue', `The filter '${name}' is invalid`);
    }
    count += values.length;
    if (count > MAX_VALUES) {
      throw ec2Error('FilterLimitExceeded', `The maximum number of filter values is ${MAX_VALUES}.`);
    }
    return { name, values, test: anyOf(values) };
  });
}

/** Values may hold `*` and `?`; a backslash takes their meaning away. */
function anyOf(values: readonly string[]): (value: string) => boolean {
  const literal = new Set(values.filter((value) => !/[*?\\]/.test(value)));
  const patterns = values.filter((value) => /[*?\\]/.test(value)).map(wildcard);
  return (value) => literal.has(value) || patterns.some((matches) => matches(value));
}

type Token = { readonly any: 'one' | 'many' } | { readonly character: string };

function wildcard(pattern: string): (value: string) => boolean {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '*') tokens.push({ any: 'many' });
    else if (character === '?') tokens.push({ any: 'one' });
    else if (character === '\\' && at + 1 < pattern.length) tokens.push({ character: pattern.charAt(++at) });
    else tokens.push({ character });
  }
  return (value) => glob(tokens, value);
}

/** Greedy with one point of return, so that it costs at most the product of the lengths. */
function glob(tokens: readonly Token[], value: string): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  while (at < value.length) {
    const next = tokens[token];
    if (next !== undefined && 'any' in next && next.any === 'many') {
      star = token++;
      resume = at;
    } else if (next !== undefined && ('any' in next || next.character === value.charAt(at))) {
      token++;
      at++;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  return tokens.slice(token).every((rest) => 'any' in rest && rest.any === 'many');
}

export const matchesFilters = (filters: readonly ParsedFilter[], fields: Fields): boolean =>
  filters.every(({ name, test }) => (fields[name] ?? []).some(test));

export const tagFields = (tags: Readonly<Record<string, string>>): Fields => ({
  'tag-key': Object.keys(tags),
  ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`tag:${key}`, [value]])),
});
