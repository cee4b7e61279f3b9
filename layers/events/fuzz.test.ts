import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIncoming } from './incoming.ts';
import { outgoingParsers } from './out/outgoing.ts';
import type { Problem } from './problem.ts';
import { parseTaskRequest } from './taskRequested/parse.ts';

const directory = new URL('../../events/', import.meta.url);
const samples = (readdirSync(directory, { recursive: true }) as string[])
  .filter((name) => name.endsWith('.json') && !name.startsWith('entries/'))
  .sort()
  .map((name) => readFileSync(new URL(name, directory), 'utf8'));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

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

function mutate(root: Json, { at, change, key, value: original }: Mutation): Json {
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

const mutation = fc.record({
  at: fc.nat(),
  change: fc.constantFrom('replace' as const, 'remove' as const, 'add' as const),
  key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'type', 'length')),
  value: fc.jsonValue() as fc.Arbitrary<Json>,
});

const mutated = fc
  .tuple(fc.nat(samples.length - 1), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([index, mutations]) => mutations.reduce(mutate, JSON.parse(samples[index] ?? 'null') as Json));

const kinds = [
  'task-requested',
  'task-refused',
  'ecs-task',
  'ecs-host',
  'ec2-state',
  'spot-interruption',
  'rebalance-recommendation',
  'alarm',
  'malformed',
  'unknown',
];

const isSpoken = ({ rule, fix }: Problem): boolean =>
  [rule, fix].every((sentence) => /^[^ ].*[.?]$/su.test(sentence) && !sentence.includes('undefined'));

describe('parsing what nobody meant to send', () => {
  it('classifies every mutated sample and never throws', () => {
    fc.assert(
      fc.property(mutated, (event) => {
        expect(kinds).toContain(parseIncoming(event).kind);
        for (const parse of Object.values(outgoingParsers)) expect(typeof parse(event).ok).toBe('boolean');
      }),
      { numRuns: 1500 },
    );
  });

  it('classifies any value at all', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true }), (event) => {
        expect(kinds).toContain(parseIncoming(event).kind);
      }),
      { numRuns: 500 },
    );
  });

  it('says every problem of a request as sentences, once for each field', () => {
    const requests = samples
      .map((text) => JSON.parse(text))
      .filter((event) => event['detail-type'] === 'Task Requested');
    const request = fc
      .tuple(fc.nat(requests.length - 1), fc.array(mutation, { minLength: 1, maxLength: 5 }))
      .map(([index, mutations]) => mutations.reduce(mutate, structuredClone(requests[index].detail) as Json));
    fc.assert(
      fc.property(request, (detail) => {
        const parsed = parseTaskRequest(detail);
        if (parsed.ok) return;
        expect(parsed.problems.length).toBeGreaterThan(0);
        expect(parsed.problems.filter((problem) => !isSpoken(problem))).toEqual([]);
        expect(new Set(parsed.problems.map(({ field }) => field)).size).toBe(parsed.problems.length);
      }),
      { numRuns: 1500 },
    );
  });

  it('calls a quoted number, a list for an object and a wrong discriminator by their names', () => {
    const parsed = parseTaskRequest({
      cluster: 'demo',
      taskDefinition: 'hello',
      priority: '5',
      isolation: [],
      placement: {
        constraints: [
          { type: 'memberof', expression: 'x' },
          { type: 'memberOf', expression: 'zone ==' },
        ],
      },
    });
    expect(parsed).toMatchObject({ ok: false });
    const problems = parsed.ok ? [] : parsed.problems;
    expect(problems.map(({ field }) => field).sort()).toEqual([
      'isolation',
      'placement.constraints[0].type',
      'placement.constraints[1].expression',
      'priority',
    ]);
    expect(problems.find(({ field }) => field === 'priority')?.fix).toBe(
      'Write it as a number, without quotes.',
    );
  });

  it('is not hurt by deep nesting', () => {
    let nested: Json = {};
    for (let depth = 0; depth < 5_000; depth += 1) nested = { placement: nested };
    expect(parseTaskRequest(nested).ok).toBe(false);
  });
});
