import { parseDate } from './date.ts';
import type { Expression, OrderOperator, Subject } from './expression.ts';
import { createPattern, type Pattern } from './pattern.ts';
import { PatternError } from './patternCursor.ts';
import { Scanner } from './scan.ts';
import { nameOf, parseSubject, requireOperator } from './subject.ts';

/** ECS: an expression of a placement constraint has at most 2,000 characters. */
export const MAX_EXPRESSION_LENGTH = 2000;
const MAX_DEPTH = 64;

/** Precedence, loosest first: or, and, not. Throws `QueryError`. */
export function parseExpression(expression: string): Expression {
  const scanner = new Scanner(expression);
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    scanner.fail(
      MAX_EXPRESSION_LENGTH,
      `An expression has at most ${MAX_EXPRESSION_LENGTH} characters`,
      'Shorten it, with a pattern or an attribute of its own.',
    );
  }
  if (scanner.atEnd()) scanner.fail(0, 'An expression cannot be empty', 'Write subject operator [argument].');
  const result = disjunction(scanner, 0);
  if (!scanner.atEnd()) {
    const fix = scanner.peek(')') ? 'Remove it or open it with "(".' : 'Join comparisons with "and" or "or".';
    scanner.fail(scanner.at, `${scanner.upcoming()} follows a complete expression`, fix);
  }
  return result;
}

function disjunction(scanner: Scanner, depth: number): Expression {
  const parts = [conjunction(scanner, depth)];
  while (scanner.take('||') || scanner.takeWord('or')) parts.push(conjunction(scanner, depth));
  return only(parts) ?? { kind: 'or', parts };
}

function conjunction(scanner: Scanner, depth: number): Expression {
  const parts = [negation(scanner, depth)];
  while (scanner.take('&&') || scanner.takeWord('and')) parts.push(negation(scanner, depth));
  return only(parts) ?? { kind: 'and', parts };
}

const only = (parts: readonly Expression[]): Expression | undefined =>
  parts.length === 1 ? parts[0] : undefined;

function negation(scanner: Scanner, depth: number): Expression {
  scanner.skipSpace();
  const start = scanner.at;
  if (depth > MAX_DEPTH) {
    scanner.fail(
      start,
      `Expressions are nested at most ${MAX_DEPTH} deep`,
      'Flatten it with "and" and "or".',
    );
  }
  if (scanner.take('!') || scanner.takeWord('not')) return not(negation(scanner, depth + 1));
  if (!scanner.take('(')) return comparison(scanner);
  const inner = disjunction(scanner, depth + 1);
  if (!scanner.take(')')) {
    scanner.fail(start, 'A "(" is never closed', `Write ")" before ${scanner.upcoming()}.`);
  }
  return inner;
}

const not = (part: Expression): Expression => (part.kind === 'not' ? part.part : { kind: 'not', part });

function comparison(scanner: Scanner): Expression {
  const subject = parseSubject(scanner);
  scanner.skipSpace();
  const start = scanner.at;
  if (scanner.take('=~') || scanner.takeWord('matches')) return matching(scanner, start, subject);
  if (scanner.take('!~') || scanner.takeWord('not_matches')) return not(matching(scanner, start, subject));
  if (scanner.take('==') || scanner.takeWord('equals')) return equality(scanner, start, subject);
  if (scanner.take('!=') || scanner.takeWord('not_equals')) return not(equality(scanner, start, subject));
  if (scanner.takeWord('!in') || scanner.takeWord('not_in')) return not(membership(scanner, start, subject));
  if (scanner.takeWord('in')) return membership(scanner, start, subject);
  if (scanner.takeWord('!exists') || scanner.takeWord('not_exists'))
    return not(existence(scanner, start, subject));
  if (scanner.takeWord('exists')) return existence(scanner, start, subject);
  const operator = takeOrder(scanner);
  if (operator !== undefined) return order(scanner, start, subject, operator);
  const fix = scanner.peek('=')
    ? 'Equality is written "==".'
    : 'Use ==, !=, >, >=, <, <=, in, !in, =~, !~ or exists.';
  return scanner.fail(
    start,
    `An operator is expected after ${nameOf(subject)}, not ${scanner.upcoming()}`,
    fix,
  );
}

function takeOrder(scanner: Scanner): OrderOperator | undefined {
  if (scanner.take('>=') || scanner.takeWord('greater_than_equal')) return '>=';
  if (scanner.take('<=') || scanner.takeWord('less_than_equal')) return '<=';
  if (scanner.take('>') || scanner.takeWord('greater_than')) return '>';
  if (scanner.take('<') || scanner.takeWord('less_than')) return '<';
  return undefined;
}

function equality(scanner: Scanner, start: number, subject: Subject): Expression {
  requireOperator(scanner, start, subject, 'equality');
  return { kind: 'equals', subject, value: value(scanner, subject) };
}

function order(scanner: Scanner, start: number, subject: Subject, operator: OrderOperator): Expression {
  requireOperator(scanner, start, subject, 'order');
  return { kind: 'order', subject, operator, value: value(scanner, subject) };
}

function existence(scanner: Scanner, start: number, subject: Subject): Expression {
  requireOperator(scanner, start, subject, 'existence');
  return { kind: 'exists', subject };
}

function membership(scanner: Scanner, start: number, subject: Subject): Expression {
  requireOperator(scanner, start, subject, 'list');
  if (!scanner.take('[')) {
    scanner.fail(scanner.at, `A list is expected, not ${scanner.upcoming()}`, 'Write [value1, value2].');
  }
  const values = new Set([value(scanner, subject)]);
  while (scanner.take(',')) values.add(value(scanner, subject));
  if (!scanner.take(']')) {
    scanner.fail(
      scanner.at,
      `A list goes on with "," or "]", not ${scanner.upcoming()}`,
      'Close it with "]".',
    );
  }
  return { kind: 'in', subject, values };
}

function matching(scanner: Scanner, start: number, subject: Subject): Expression {
  requireOperator(scanner, start, subject, 'pattern');
  scanner.skipSpace();
  const at = scanner.at;
  const quoted = scanner.peek('"') || scanner.peek("'");
  const source = scanner.pattern();
  return { kind: 'matches', subject, pattern: compilePattern(scanner, at + (quoted ? 1 : 0), source) };
}

function compilePattern(scanner: Scanner, at: number, source: string): Pattern {
  try {
    return createPattern(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return scanner.fail(
      at + error.position,
      error.message,
      'Write a regular expression such as (c6i|m6i)\\..*',
    );
  }
}

/** A value of the subject's own type. */
function value(scanner: Scanner, subject: Subject): string {
  scanner.skipSpace();
  const at = scanner.at;
  const text = scanner.literal();
  if (subject.kind === 'runningTasksCount' && !/^\d{1,9}$/.test(text)) {
    scanner.fail(
      at,
      `runningTasksCount is compared with a whole number, not "${text}"`,
      'Write one, such as 1.',
    );
  }
  if (subject.kind === 'agentVersion' && !/^\d+(\.\d+){0,3}$/.test(text)) {
    scanner.fail(at, `agentVersion is compared with a version, not "${text}"`, 'Write one, such as 1.86.3.');
  }
  if (subject.kind === 'agentConnected' && text !== 'true' && text !== 'false') {
    scanner.fail(at, `agentConnected is true or false, not "${text}"`, 'Write true or false.');
  }
  if (subject.kind === 'registeredAt' && parseDate(text) === undefined) {
    scanner.fail(at, `"${text}" is not a date`, 'Write 2026-06-18, or 2026-06-18T22:28:28+00:00.');
  }
  return text;
}
