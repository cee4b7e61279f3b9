import type { Clause, Pattern } from './compile.ts';
import type { Field, Fields, Membership } from './fields.ts';

/** The array elements that the clauses so far have settled on: element by array. */
type Chosen = Map<number, number>;

const NO_FIELDS: readonly Field[] = [];

/** Whether the fields of an event (`flatten`) satisfy a pattern. */
export function matches(pattern: Pattern, fields: Fields): boolean {
  return pattern.branches.some(
    (branch) => canMatch(branch, fields) && matchFrom(branch, 0, fields, new Map()),
  );
}

/** Turns down most events without a search: a clause no value passes, wherever it stands, cannot be met. */
function canMatch(branch: readonly Clause[], fields: Fields): boolean {
  return branch.every(
    ({ path, tests, absent }) => absent || fields.get(path)?.some((field) => passes(tests, field)) === true,
  );
}

const passes = (tests: Clause['tests'], { value }: Field): boolean => tests.some((test) => test(value));

/** Tries the values of one path after the other; objects in an array must match in the same element. */
function matchFrom(branch: readonly Clause[], place: number, fields: Fields, chosen: Chosen): boolean {
  const clause = branch[place];
  if (clause === undefined) return true;
  const candidates = (fields.get(clause.path) ?? NO_FIELDS).filter(({ membership }) =>
    isConsistent(membership, chosen),
  );
  if (clause.absent && candidates.length === 0) return matchFrom(branch, place + 1, fields, chosen);
  for (const field of candidates) {
    if (!passes(clause.tests, field)) continue;
    const added = choose(field.membership, chosen);
    if (matchFrom(branch, place + 1, fields, chosen)) return true;
    for (const array of added) chosen.delete(array);
    // It settled nothing, so every other value that settles nothing would fail in the same way.
    if (field.membership === undefined) return false;
  }
  return false;
}

function isConsistent(membership: Membership | undefined, chosen: Chosen): boolean {
  for (let at = membership; at !== undefined; at = at.outer) {
    const element = chosen.get(at.array);
    if (element !== undefined && element !== at.element) return false;
  }
  return true;
}

function choose(membership: Membership | undefined, chosen: Chosen): number[] {
  const added: number[] = [];
  for (let at = membership; at !== undefined; at = at.outer) {
    if (chosen.has(at.array)) continue;
    chosen.set(at.array, at.element);
    added.push(at.array);
  }
  return added;
}
