import { QueryError } from './error.ts';

/** Characters of a value that needs no quotes; ECS allows more in an attribute's value (spaces), which then does. */
const BARE = /[A-Za-z0-9_\-./\\@:+*#?$%^~]/;
const SPACE = /\s/;

/** The characters of an expression. Tokens depend on what came before (a pattern may hold parentheses), so the parser pulls them one kind at a time. */
export class Scanner {
  readonly expression: string;
  at = 0;

  constructor(expression: string) {
    this.expression = expression;
  }

  fail(position: number, rule: string, fix: string): never {
    throw new QueryError(this.expression, position, rule, fix);
  }

  skipSpace(): void {
    while (this.at < this.expression.length && SPACE.test(this.expression.charAt(this.at))) this.at++;
  }

  atEnd(): boolean {
    this.skipSpace();
    return this.at >= this.expression.length;
  }

  /** Takes `symbol` when it comes next. */
  take(symbol: string): boolean {
    this.skipSpace();
    if (!this.expression.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  peek(symbol: string): boolean {
    this.skipSpace();
    return this.expression.startsWith(symbol, this.at);
  }

  /** Takes `word` when it comes next and no further word character follows it. */
  takeWord(word: string): boolean {
    this.skipSpace();
    if (!this.expression.startsWith(word, this.at)) return false;
    if (BARE.test(this.expression.charAt(this.at + word.length))) return false;
    this.at += word.length;
    return true;
  }

  /** A subject: up to white space, an operator, or a bracket. */
  subject(): string {
    this.skipSpace();
    const start = this.at;
    while (this.at < this.expression.length && /[^\s=!<>~()[\],&|'"]/.test(this.expression.charAt(this.at))) {
      this.at++;
    }
    return this.expression.slice(start, this.at);
  }

  /** What comes next, for a message. */
  upcoming(): string {
    this.skipSpace();
    if (this.at >= this.expression.length) return 'the end of the expression';
    const word = /^(?:[\w\-./\\@:+*]{1,40}|\S)/.exec(this.expression.slice(this.at, this.at + 40));
    return `"${word?.[0] ?? ''}"`;
  }

  /** A value: quoted, or bare up to white space, a bracket or a comma. */
  literal(): string {
    this.skipSpace();
    const start = this.at;
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    while (this.at < this.expression.length && BARE.test(this.expression.charAt(this.at))) this.at++;
    const text = this.expression.slice(start, this.at);
    if (text === '') {
      this.fail(
        start,
        `A value is expected, not ${this.upcoming()}`,
        'Write a value, in quotes if it is unusual.',
      );
    }
    if (text === 'and' || text === 'or') {
      this.fail(
        start,
        `A value is expected before "${text}"`,
        `To compare with the word itself, quote it: "${text}".`,
      );
    }
    return text;
  }

  /** A regular expression: quoted, or up to white space, `&&`, `||` or a parenthesis that it did not open. */
  pattern(): string {
    this.skipSpace();
    const start = this.at;
    const quoted = this.quoted();
    if (quoted !== undefined) return quoted;
    let open = 0;
    let inClass = false;
    for (; this.at < this.expression.length; this.at++) {
      const next = this.expression.charAt(this.at);
      if (SPACE.test(next)) break;
      if (next === '\\') this.at++;
      else if (inClass) inClass = next !== ']';
      else if (next === '[') inClass = true;
      else if (next === '(') open++;
      else if (next === ')' && open-- === 0) break;
      else if (open === 0 && (this.peekAt('&&') || this.peekAt('||'))) break;
    }
    this.at = Math.min(this.at, this.expression.length);
    if (this.at === start) {
      this.fail(
        start,
        `A pattern is expected, not ${this.upcoming()}`,
        'Write a regular expression such as c6i.*',
      );
    }
    return this.expression.slice(start, this.at);
  }

  private peekAt(symbol: string): boolean {
    return this.expression.startsWith(symbol, this.at);
  }

  private quoted(): string | undefined {
    const start = this.at;
    const quote = this.expression.charAt(start);
    if (quote !== '"' && quote !== "'") return undefined;
    const end = this.expression.indexOf(quote, start + 1);
    if (end === -1) this.fail(start, 'A quoted value is never closed', `Close it with ${quote}.`);
    this.at = end + 1;
    return this.expression.slice(start + 1, end);
  }
}
