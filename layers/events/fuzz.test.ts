import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, mutate, mutated, mutation, samples } from '../../test/support/mutatedSamples.ts';
import { parseIncoming } from './incoming.ts';
import { outgoingParsers } from './out/outgoing.ts';
import type { Problem } from './problem.ts';
import { parseTaskRequest } from './taskRequested/parse.ts';

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
