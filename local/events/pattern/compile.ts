import { invalidPattern } from './errors.ts';
import { compileMatcher, type Test } from './matchers.ts';

/** What a pattern asks of one path: a value that passes a test, or that there is no value. */
export interface Clause {
  readonly path: string;
  readonly tests: readonly Test[];
  readonly absent: boolean;
}

/** An event matches when it satisfies every clause of any branch, consistently over its arrays. */
export interface Pattern {
  readonly branches: readonly (readonly Clause[])[];
  /** The field names on the way to the clauses: all that is needed of an event. */
  readonly steps: ReadonlySet<string>;
}

type Branch = Map<string, Clause>;
type JsonObject = Readonly<Record<string, unknown>>;

/** "Maximum size of an event pattern": PutRule in the EventBridge API reference. */
export const MAXIMUM_PATTERN_CHARACTERS = 4096;
const MAXIMUM_BRANCHES = 1000;

const OR = '$or';
/** Names of match expressions, which would be ambiguous as fields inside `$or`. */
const RESERVED = new Set([
  'exactly',
  'prefix',
  'suffix',
  'equals-ignore-case',
  'wildcard',
  'numeric',
  'anything-but',
  'exists',
  'cidr',
]);

/** Compiles the JSON text of an event pattern. Throws InvalidEventPatternException with the reason. */
export function compilePattern(text: string): Pattern {
  if (text.length > MAXIMUM_PATTERN_CHARACTERS) {
    throw invalidPattern(`Event pattern is longer than ${MAXIMUM_PATTERN_CHARACTERS} characters`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw invalidPattern(error instanceof Error ? error.message : String(error));
  }
  return compilePatternObject(json);
}

/** Compiles a parsed event pattern. */
export function compilePatternObject(json: unknown): Pattern {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalidPattern('Filter is not an object');
  }
  const steps = new Set<string>();
  const branches = addObject([new Map()], '', json as JsonObject, false, steps);
  return {
    // By path, because absence is judged against the array elements that the paths before it have chosen.
    branches: branches.map((branch) => [...branch.values()].sort((a, b) => (a.path < b.path ? -1 : 1))),
    steps,
  };
}

function addObject(
  branches: Branch[],
  path: string,
  object: JsonObject,
  insideOr: boolean,
  steps: Set<string>,
): Branch[] {
  const entries = Object.entries(object);
  if (entries.length === 0) throw invalidPattern('Empty objects are not allowed');
  let grown = branches;
  for (const [name, value] of entries) {
    if (name === OR) {
      grown = addOr(grown, path, value, steps);
      continue;
    }
    if (insideOr && RESERVED.has(name)) {
      throw invalidPattern(`${name} is Ruler reserved fieldName which cannot be used inside $or.`);
    }
    steps.add(name);
    for (const step of name.split('.')) steps.add(step);
    const childPath = path === '' ? name : `${path}.${name}`;
    if (Array.isArray(value)) {
      const clause = clauseOf(childPath, value);
      for (const branch of grown) branch.set(childPath, clause);
    } else if (typeof value === 'object' && value !== null) {
      grown = addObject(grown, childPath, value as JsonObject, insideOr, steps);
    } else {
      throw invalidPattern(`"${name}" must be an object or an array`);
    }
  }
  return grown;
}

function addOr(branches: readonly Branch[], path: string, choices: unknown, steps: Set<string>): Branch[] {
  if (!Array.isArray(choices)) throw invalidPattern('It must be an Array followed with $or.');
  if (choices.length < 2) throw invalidPattern('There must have at least 2 Objects in $or relationship.');
  const grown: Branch[] = [];
  for (const choice of choices as unknown[]) {
    if (typeof choice !== 'object' || choice === null || Array.isArray(choice)) {
      throw invalidPattern('Only JSON object is allowed in array of $or relationship.');
    }
    const copies = branches.map((branch) => new Map(branch));
    grown.push(...addObject(copies, path, choice as JsonObject, true, steps));
    if (grown.length > MAXIMUM_BRANCHES)
      throw invalidPattern('Rule is too complex - try using fewer $or choices');
  }
  return grown;
}

function clauseOf(path: string, list: readonly unknown[]): Clause {
  if (list.length === 0) throw invalidPattern('Empty arrays are not allowed');
  const tests: Test[] = [];
  let absent = false;
  for (const entry of list) {
    const matcher = compileMatcher(entry);
    if (matcher === 'absent') absent = true;
    else tests.push(matcher);
  }
  return { path, tests, absent };
}
