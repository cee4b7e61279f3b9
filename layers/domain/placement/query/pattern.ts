import { compile, type Instruction } from './patternProgram.ts';
import { parsePattern } from './patternSyntax.ts';

/** Distinct values a pattern remembers the verdict of: hosts share few instance types, zones and images. */
const MAX_REMEMBERED = 1024;

/**
 * A regular expression of the `=~` operator. It must match the whole value, as Java's `String.matches` does, and takes
 * time linear in the value: an operator's pattern must not be able to stall a scheduler that asks it of thousands of
 * hosts, which rules out a backtracking engine.
 */
export interface Pattern {
  readonly source: string;
  test(value: string): boolean;
}

/** Throws `PatternError` for a pattern that is malformed or needs backtracking (look-around, back-references). */
export function createPattern(source: string): Pattern {
  const program = compile(parsePattern(source));
  const remembered = new Map<string, boolean>();
  return {
    source,
    test(value) {
      const known = remembered.get(value);
      if (known !== undefined) return known;
      const verdict = run(program, value);
      if (remembered.size >= MAX_REMEMBERED) remembered.clear();
      remembered.set(value, verdict);
      return verdict;
    },
  };
}

/** Pike's simulation: every thread of the automaton steps once per character, so no input is visited twice. */
function run(program: readonly Instruction[], value: string): boolean {
  let current = new Set<number>();
  follow(program, 0, value, 0, current);
  for (let at = 0; at < value.length && current.size > 0; at++) {
    const code = value.charCodeAt(at);
    const next = new Set<number>();
    for (const index of current) {
      const instruction = program[index];
      if (instruction?.kind === 'character' && instruction.accepts(code)) {
        follow(program, index + 1, value, at + 1, next);
      }
    }
    current = next;
  }
  for (const index of current) if (program[index]?.kind === 'end') return true;
  return false;
}

/** Adds `start` and everything reachable from it without consuming a character. */
function follow(
  program: readonly Instruction[],
  start: number,
  value: string,
  at: number,
  reached: Set<number>,
): void {
  const stack = [start];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (reached.has(index)) continue;
    reached.add(index);
    const instruction = program[index];
    if (instruction?.kind === 'jump') stack.push(...instruction.to);
    if (instruction?.kind === 'assert' && instruction.holds(value, at)) stack.push(index + 1);
  }
}
