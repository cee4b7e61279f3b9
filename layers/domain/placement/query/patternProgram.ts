import { PatternError } from './patternCursor.ts';
import type { PatternNode } from './patternSyntax.ts';

export type Instruction =
  | { readonly kind: 'character'; readonly accepts: (code: number) => boolean }
  | { readonly kind: 'jump'; readonly to: readonly number[] }
  | { readonly kind: 'assert'; readonly holds: (value: string, at: number) => boolean }
  | { readonly kind: 'end' };

/** Counted repetition multiplies the program, even of nothing; this bounds what compiling and one value cost. */
const MAX_STEPS = 8192;

interface Build {
  readonly program: Instruction[];
  steps: number;
}

/** Thompson's construction. */
export function compile(node: PatternNode): readonly Instruction[] {
  const build: Build = { program: [], steps: 0 };
  emit(node, build);
  build.program.push({ kind: 'end' });
  return build.program;
}

function emit(node: PatternNode, build: Build): void {
  const { program } = build;
  build.steps++;
  if (build.steps > MAX_STEPS) {
    throw new PatternError(0, 'The pattern is too large once its counted repetitions are written out');
  }
  switch (node.kind) {
    case 'character':
      program.push({ kind: 'character', accepts: node.accepts });
      return;
    case 'assert':
      program.push({ kind: 'assert', holds: node.holds });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, build);
      return;
    case 'choice':
      emitChoice(node.parts, build);
      return;
    case 'repeat':
      for (let count = 0; count < node.min; count++) emit(node.part, build);
      if (node.max === undefined) emitStar(node.part, build);
      else emitOptional(node.part, node.max - node.min, build);
  }
}

function emitChoice(parts: readonly PatternNode[], build: Build): void {
  const { program } = build;
  const split = program.length;
  program.push({ kind: 'jump', to: [] });
  const starts: number[] = [];
  const exits: number[] = [];
  for (const part of parts) {
    starts.push(program.length);
    emit(part, build);
    exits.push(program.length);
    program.push({ kind: 'jump', to: [] });
  }
  program[split] = { kind: 'jump', to: starts };
  for (const exit of exits) program[exit] = { kind: 'jump', to: [program.length] };
}

function emitStar(part: PatternNode, build: Build): void {
  const { program } = build;
  const split = program.length;
  program.push({ kind: 'jump', to: [] });
  emit(part, build);
  program.push({ kind: 'jump', to: [split] });
  program[split] = { kind: 'jump', to: [split + 1, program.length] };
}

function emitOptional(part: PatternNode, times: number, build: Build): void {
  const { program } = build;
  const splits: number[] = [];
  for (let count = 0; count < times; count++) {
    splits.push(program.length);
    program.push({ kind: 'jump', to: [] });
    emit(part, build);
  }
  for (const split of splits) program[split] = { kind: 'jump', to: [split + 1, program.length] };
}
