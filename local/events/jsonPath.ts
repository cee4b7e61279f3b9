type Step = { readonly name: string } | { readonly index: number } | 'all';

const STEP = /\.([\w\-/@]+|\*)|\[(\d+|\*)\]|\['([^']+)'\]|\["([^"]+)"\]/y;

/** Finds the value at a path of an event; undefined when there is none. Paths with `*` give a list. */
export type JsonPath = (value: unknown) => unknown;

function stepOf([, dotted, bracketed, single, double]: RegExpExecArray): Step {
  if (dotted === '*' || bracketed === '*') return 'all';
  if (bracketed !== undefined) return { index: Number(bracketed) };
  return { name: dotted ?? single ?? double ?? '' };
}

function own(value: unknown, name: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[name];
}

/** Compiles `$`, `$.detail.a`, `$.list[0]`, `$.list[*].a`, `$['a b']`; undefined when it is none of these. */
export function compileJsonPath(path: string): JsonPath | undefined {
  if (!path.startsWith('$')) return undefined;
  const steps: Step[] = [];
  STEP.lastIndex = 1;
  while (STEP.lastIndex < path.length) {
    const match = STEP.exec(path);
    if (match === null) return undefined;
    steps.push(stepOf(match));
  }
  const walk = (value: unknown, place: number): unknown => {
    const step = steps[place];
    if (step === undefined || value === undefined) return value;
    if (step !== 'all') return walk(own(value, 'name' in step ? step.name : step.index), place + 1);
    if (typeof value !== 'object' || value === null) return undefined;
    const found: unknown[] = [];
    for (const child of Object.values(value)) {
      const inner = walk(child, place + 1);
      if (inner !== undefined) found.push(inner);
    }
    return found;
  };
  return (value) => walk(value, 0);
}
