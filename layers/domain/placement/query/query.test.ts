import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueryError } from './error.ts';
import type { HostFacts } from './expression.ts';
import { matches, parseQuery } from './query.ts';

const host: HostFacts = {
  ec2InstanceId: 'i-0aaa',
  attributes: {
    'ecs.instance-type': 'c6i.large',
    'ecs.availability-zone': 'us-east-1a',
    stack: 'prod',
    cores: '10',
    label: 'two words',
    gpu: '',
  },
  agentConnected: true,
  agentVersion: '1.86.3',
  // 2026-06-18T22:28:28.400Z
  registeredAt: 1_781_821_708_400,
  runningTasksCount: 2,
  taskGroups: ['service:web', 'family:batch'],
};

const holds = (text: string, facts: HostFacts = host): boolean => matches(parseQuery(text), facts);

describe('comparisons', () => {
  it.each([
    ['attribute:stack == prod', true],
    ['attribute:stack equals test', false],
    ['attribute:stack==prod', true],
    ['attribute:stack != prod', false],
    ['attribute:stack not_equals test', true],
    ['attribute:label == "two words"', true],
    ["attribute:label == 'two words'", true],
    ['attribute:gpu exists', true],
    ['attribute:gpu !exists', false],
    ['attribute:none exists', false],
    ['attribute:none not_exists', true],
    ['attribute:toString exists', false],
    ['attribute:none != prod', true],
    ['attribute:none > 1', false],
    ['attribute:cores > 9', true],
    ['attribute:cores greater_than 10', false],
    ['attribute:cores <= 10', true],
    ['attribute:stack < q', true],
    ['attribute:stack greater_than_equal prod', true],
    ['attribute:ecs.availability-zone in [us-east-1a, us-east-1b]', true],
    ['attribute:ecs.availability-zone in[us-east-1b]', false],
    ['attribute:ecs.availability-zone !in [us-east-1b]', true],
    ['attribute:ecs.availability-zone not_in [ us-east-1a ]', false],
    ['attribute:ecs.instance-type =~ c6i.*', true],
    ['attribute:ecs.instance-type =~ c6i', false],
    ['attribute:ecs.instance-type matches (m6i|c6i)\\.(large|xlarge)', true],
    ['attribute:ecs.instance-type !~ m.*', true],
    ['attribute:ecs.instance-type not_matches "c.*"', false],
    ['ec2InstanceId == i-0aaa', true],
    ["ec2InstanceId in ['i-0aaa', 'i-0bbb']", true],
    ['ec2InstanceId =~ i-0b.*', false],
    ['agentConnected == true', true],
    ['agentConnected in [false]', false],
    ['agentVersion >= 1.86', true],
    ['agentVersion < 1.9.0', false],
    ['agentVersion == 1.86.3', true],
    ['registeredAt == 2026-06-18T22:28:28Z', true],
    ['registeredAt == 2026-06-19T00:28:28+02:00', true],
    ['registeredAt > 2026-06-18', true],
    ['registeredAt less_than 2026-06-18T22:28:28', false],
    ['registeredAt less_than_equal 2026-06-18T22:28:28', true],
    ['runningTasksCount < 3', true],
    ['runningTasksCount != 2', false],
    ['task:group == service:web', true],
    ['task:group != service:web', false],
    ['task:group =~ family:.*', true],
    ['task:group exists', true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });

  it('has nothing to compare on a host that has not registered', () => {
    const { registeredAt: _at, agentVersion: _version, ...booting } = host;
    expect(holds('registeredAt > 2000-01-01', booting)).toBe(false);
    expect(holds('agentVersion > 0', booting)).toBe(false);
  });
});

describe('compounds', () => {
  it.each([
    ['attribute:stack == test or attribute:cores == 10 and attribute:gpu exists', true],
    ['(attribute:stack == test or attribute:cores == 10) && attribute:none exists', false],
    ['not(task:group == database)', true],
    ['!(attribute:stack == prod) || !attribute:none exists', true],
    ['not not attribute:stack == prod', true],
    ['(attribute:ecs.instance-type =~ (c6i|m6i).* or attribute:stack == x) and runningTasksCount < 3', true],
    ['attribute:ecs.instance-type =~ c6i.*&&attribute:stack == prod', true],
    ['(attribute:ecs.instance-type =~ [ab(c]6i.*)', true],
  ])('%s is %s', (text, expected) => {
    expect(holds(text)).toBe(expected);
  });
});

describe('errors name position, rule and fix', () => {
  it.each([
    ['', 0, 'cannot be empty', 'subject operator'],
    ['stack == prod', 0, '"stack" is not a subject', 'attribute:<name>'],
    ['ecs.instance-type == a', 0, 'not a subject', 'Did you mean attribute:ecs.instance-type?'],
    ['attribute: == prod', 0, 'attribute name', 'attribute:<name>'],
    ['attribute:stack = prod', 16, 'An operator is expected', '"=="'],
    ['attribute:stack prod', 16, 'not "prod"', 'Use =='],
    ['attribute:stack ==', 18, 'A value is expected, not the end', 'Write a value'],
    ['attribute:stack == and', 19, 'A value is expected before "and"', 'quote it'],
    ['attribute:stack == "prod', 19, 'never closed', 'Close it'],
    ['attribute:stack in prod', 19, 'A list is expected', '[value1'],
    ['attribute:stack in [a b]', 22, 'A list goes on', 'Close it'],
    ['attribute:a exists attribute:b exists', 19, 'follows a complete expression', 'and'],
    ['(attribute:a exists', 0, 'A "(" is never closed', 'Write ")"'],
    ['attribute:a exists)', 18, 'follows a complete expression', 'Remove it'],
    ['runningTasksCount == many', 21, 'whole number', 'such as 1'],
    ['runningTasksCount in [1]', 18, 'cannot be used with in, !in', 'Use ==, !=, >'],
    ['ec2InstanceId > i-1', 14, 'cannot be used with >', 'Use ==, !=, in'],
    ['agentVersion == new', 16, 'version', '1.86.3'],
    ['agentConnected == yes', 18, 'true or false', 'Write true'],
    ['registeredAt > 2026-02-30', 15, 'is not a date', '2026-06-18'],
    ['attribute:a =~ c6(i', 17, 'never closed', 'regular expression'],
    ['attribute:a =~ "a(?=b)"', 17, 'Look-around', 'regular expression'],
    ['attribute:a =~ ', 15, 'A pattern is expected', 'c6i.*'],
    [`${'('.repeat(70)}attribute:a exists`, 65, 'nested at most', 'Flatten'],
    [`attribute:a == ${'x'.repeat(2000)}`, 2000, 'at most 2000 characters', 'Shorten'],
  ])('%s', (text, position, rule, fix) => {
    let caught: unknown;
    try {
      parseQuery(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(QueryError);
    expect(caught).toMatchObject({ position, expression: text });
    expect((caught as QueryError).rule).toContain(rule);
    expect((caught as QueryError).fix).toContain(fix);
  });

  it('never fails in another way, whatever the text', () => {
    const piece = fc.constantFrom(
      ...['attribute:a', 'ec2InstanceId', 'task:group', '==', '!=', 'in', '[', ']', '(', ')', 'and', 'or'],
      ...['not', '!', '=~', 'exists', '"', "'", ',', 'x', '&&', '||', '\\', '{2}', '*', '>', ' '],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('', ' '), (pieces, glue) => {
        try {
          expect(typeof holds(pieces.join(glue))).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(QueryError);
          expect((error as QueryError).position).toBeLessThanOrEqual(pieces.join(glue).length);
        }
      }),
    );
  });
});

describe('the whole language against its meaning', () => {
  interface Sample {
    readonly text: string;
    readonly verdict: boolean;
  }
  const leaf: fc.Arbitrary<Sample> = fc.constantFrom(
    { text: 'attribute:stack == prod', verdict: true },
    { text: 'attribute:stack in [a,b]', verdict: false },
    { text: 'attribute:ecs.instance-type =~ c6i\\..*', verdict: true },
    { text: 'runningTasksCount > 5', verdict: false },
  );
  const { sample } = fc.letrec<{ sample: Sample }>((tie) => ({
    sample: fc.oneof(
      { maxDepth: 5 },
      leaf,
      tie('sample').map(({ text, verdict }) => ({ text: `not (${text})`, verdict: !verdict })),
      fc.tuple(tie('sample'), fc.constantFrom('and', '&&'), tie('sample')).map(([a, word, b]) => ({
        text: `(${a.text}) ${word} (${b.text})`,
        verdict: a.verdict && b.verdict,
      })),
      fc.tuple(tie('sample'), fc.constantFrom('or', '||'), tie('sample')).map(([a, word, b]) => ({
        text: `(${a.text}) ${word} (${b.text})`,
        verdict: a.verdict || b.verdict,
      })),
    ),
  }));
  it('combines verdicts as Boolean algebra does', () => {
    fc.assert(
      fc.property(sample, ({ text, verdict }) => {
        fc.pre(text.length <= 2000);
        expect(holds(text)).toBe(verdict);
      }),
    );
  });
});

describe('the instances an expression names', () => {
  it.each([
    ['ec2InstanceId == i-1', ['i-1']],
    ['ec2InstanceId in [i-1, i-2]', ['i-1', 'i-2']],
    ['ec2InstanceId in [i-1, i-2] and attribute:a exists', ['i-1', 'i-2']],
    ['ec2InstanceId in [i-1, i-2] and ec2InstanceId in [i-2, i-3]', ['i-2']],
    ['ec2InstanceId == i-1 or ec2InstanceId == i-2', ['i-1', 'i-2']],
  ])('%s', (text, ids) => {
    expect([...(parseQuery(text).instanceIds ?? [])]).toEqual(ids);
  });

  it.each(['ec2InstanceId != i-1', 'attribute:a exists', 'ec2InstanceId == i-1 or attribute:a exists'])(
    'are not bounded by %s',
    (text) => {
      expect(parseQuery(text).instanceIds).toBeUndefined();
    },
  );

  it('come from a parse that is remembered', () => {
    expect(parseQuery('ec2InstanceId == i-77')).toBe(parseQuery('ec2InstanceId == i-77'));
  });
});
