import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';

const directory = new URL('../../events/', import.meta.url);

/** The text of every sample event. */
export const samples: readonly string[] = (readdirSync(directory, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.json') && !name.startsWith('entries/'))
  .sort()
  .map((name) => readFileSync(new URL(name, directory), 'utf8'));

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a value, as a path of keys. */
function places(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [
    path,
    ...keys.flatMap((key) => places((value as Record<string | number, Json>)[key] ?? null, [...path, key])),
  ];
}

interface Mutation {
  readonly at: number;
  readonly change: 'replace' | 'remove' | 'add';
  readonly key: string;
  readonly value: Json;
}

/** As JSON.parse does: `__proto__` becomes a field like any other. */
const put = (target: object, key: string | number, value: Json): object =>
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });

export function mutate(root: Json, { at, change, key, value: original }: Mutation): Json {
  // A value shared with a later mutation could be put into itself.
  const value = structuredClone(original);
  const all = places(root);
  const path = all[at % all.length] ?? [];
  const last = path.at(-1);
  const canAdd = (target: unknown): target is object =>
    change === 'add' && typeof target === 'object' && target !== null && !Array.isArray(target);
  if (last === undefined) return canAdd(root) ? (put(root, key, value) as Json) : value;
  let parent = root as Record<string | number, Json>;
  for (const step of path.slice(0, -1)) parent = parent[step] as Record<string | number, Json>;
  const target = parent[last];
  if (change === 'remove') delete parent[last];
  else if (canAdd(target)) put(target, key, value);
  else put(parent, last, value);
  return root;
}

export const mutation = fc.record({
  at: fc.nat(),
  change: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'type', 'length')),
  value: fc.jsonValue() as fc.Arbitrary<Json>,
});

/** A sample with one to four places replaced, removed or added. */
export const mutated = fc
  .tuple(fc.nat(samples.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([index, mutations]) => mutations.reduce(mutate, JSON.parse(samples[index] ?? 'null') as Json));
