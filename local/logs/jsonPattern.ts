import { ServiceError } from '../engine/service.ts';

/** A test of one log event whose message is a JSON object. */
export type JsonTest = (document: unknown) => boolean;

export const invalidPattern = (): ServiceError =>
  new ServiceError('InvalidParameterException', 'Invalid filter pattern');

const TOKEN =
  /\s*(&&|\|\||[()]|!=|<=|>=|[=<>]|%[^%]*%|"(?:[^"\\]|\\.)*"|\$(?:[^\s()=!<>&|"]+)|[^\s()=!<>&|"]+)/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) {
      if (text.slice(at).trim() === '') break;
      throw invalidPattern();
    }
    tokens.push(token);
  }
  return tokens;
}

/** `$.a.b[0]`; names in brackets are not part of the language. */
function selector(
  token: string,
): (document: unknown) => { readonly found: boolean; readonly value?: unknown } {
  if (!/^\$(\.[\w-]+|\[\d+\])+$/.test(token)) throw invalidPattern();
  const steps = [...token.slice(1).matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map(
    ([, name, index]) => name ?? Number(index),
  );
  return (document) => {
    let value = document;
    for (const step of steps) {
      if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return { found: false };
      value = (value as Record<string | number, unknown>)[step];
    }
    return { found: true, value };
  };
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What stands right of `=` or `!=`: a text with `*` as wildcard, a number or `%a regular expression%`. */
function equality(token: string): (value: unknown) => boolean {
  if (token.startsWith('%')) {
    const expression = new RegExp(token.slice(1, -1));
    return (value) => typeof value === 'string' && expression.test(value);
  }
  const text = token.startsWith('"') ? (JSON.parse(token) as string) : token;
  const number = token.startsWith('"') ? Number.NaN : Number(token);
  const wildcard = text.includes('*')
    ? new RegExp(`^${text.split('*').map(quoted).join('.*')}$`, 's')
    : undefined;
  return (value) => {
    if (typeof value === 'number') return value === number;
    return typeof value === 'string' && (wildcard ? wildcard.test(value) : value === text);
  };
}

function order(operator: string, token: string): (value: unknown) => boolean {
  const limit = Number(token);
  if (Number.isNaN(limit)) throw invalidPattern();
  return (value) => {
    if (typeof value !== 'number') return false;
    if (operator === '<') return value < limit;
    if (operator === '>') return value > limit;
    return operator === '<=' ? value <= limit : value >= limit;
  };
}

/** Compiles what stands between the braces of a JSON filter pattern: comparisons joined by `&&`, `||` and parentheses. */
export function jsonPattern(text: string): JsonTest {
  const tokens = tokensOf(text);
  let at = 0;
  const next = (): string => {
    const token = tokens[at++];
    if (token === undefined) throw invalidPattern();
    return token;
  };
  const keyword = (expected: string): void => {
    if (next().toUpperCase() !== expected) throw invalidPattern();
  };

  const comparison = (): JsonTest => {
    if (tokens[at] === '(') {
      next();
      const inner = disjunction();
      keyword(')');
      return inner;
    }
    const select = selector(next());
    const operator = next().toUpperCase();
    if (operator === 'NOT') {
      keyword('EXISTS');
      return (document) => !select(document).found;
    }
    if (operator === 'EXISTS') return (document) => select(document).found;
    if (operator === 'IS') {
      const word = next().toUpperCase();
      const expected = { NULL: null, TRUE: true, FALSE: false }[word];
      if (expected === undefined) throw invalidPattern();
      return (document) => {
        const { found, value } = select(document);
        return found && value === expected;
      };
    }
    if (operator === '=') {
      const equal = equality(next());
      return (document) => equal(select(document).value);
    }
    if (operator === '!=') {
      const equal = equality(next());
      return (document) => {
        const { found, value } = select(document);
        return found && !equal(value);
      };
    }
    if (!['<', '>', '<=', '>='].includes(operator)) throw invalidPattern();
    const compares = order(operator, next());
    return (document) => compares(select(document).value);
  };
  const conjunction = (): JsonTest => {
    const parts = [comparison()];
    while (tokens[at] === '&&') {
      next();
      parts.push(comparison());
    }
    return (document) => parts.every((part) => part(document));
  };
  const disjunction = (): JsonTest => {
    const parts = [conjunction()];
    while (tokens[at] === '||') {
      next();
      parts.push(conjunction());
    }
    return (document) => parts.some((part) => part(document));
  };
  const test = disjunction();
  if (at !== tokens.length) throw invalidPattern();
  return test;
}
