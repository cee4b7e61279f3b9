import { expect, test } from 'vitest';
import { type Ask, isAllowed } from './decide.ts';
import { readPolicy } from './policy.ts';

const TABLE = 'arn:aws:dynamodb:us-east-1:000000000000:table/berth';
const get = (over: Partial<Ask> = {}): Ask => ({ action: 'dynamodb:GetItem', resource: TABLE, ...over });
const allow = (over: object = {}): object => ({
  Effect: 'Allow',
  Action: 'dynamodb:GetItem',
  Resource: TABLE,
  ...over,
});
const decide = (statements: unknown, ask: Ask, caller?: Record<string, readonly string[]>): boolean =>
  isAllowed(readPolicy({ Statement: statements }, 'role'), ask, caller);

test.each<[string, unknown, Ask, boolean]>([
  ['nothing is allowed by itself', [], get(), false],
  ['an action and its resource', allow(), get(), true],
  ['whatever the case of the action', allow({ Action: 'DynamoDB:getitem' }), get(), true],
  ['another action', allow({ Action: ['dynamodb:PutItem', 'dynamodb:Query'] }), get(), false],
  ['a pattern of actions', allow({ Action: 'dynamodb:Get*' }), get(), true],
  ['another resource', allow({ Resource: `${TABLE}s` }), get(), false],
  ['a table does not stand for its indexes', allow(), get({ resource: `${TABLE}/index/byState` }), false],
  ['a pattern of resources', allow({ Resource: `${TABLE}/*` }), get({ resource: `${TABLE}/index/x` }), true],
  ['everything', allow({ Resource: '*' }), get(), true],
  ['one character', allow({ Resource: TABLE.replace('berth', 'bert?') }), get(), true],
  ['a dot is a dot', allow({ Resource: TABLE.replace('berth', 'b.rth') }), get(), false],
  ['a denial wins', [allow(), allow({ Effect: 'Deny' })], get(), false],
  [
    'a denial of something else',
    [allow(), allow({ Effect: 'Deny', Action: 'dynamodb:PutItem' })],
    get(),
    true,
  ],
])('%s', (_, statements, ask, expected) => expect(decide(statements, ask)).toBe(expected));

const keys = (values: Record<string, readonly string[]>): Ask => get({ keys: values });

test.each<[string, object, Ask, boolean]>([
  ['equal', { StringEquals: { 'a:k': 'x' } }, keys({ 'a:k': ['x'] }), true],
  ['one of several', { StringEquals: { 'a:k': ['w', 'x'] } }, keys({ 'a:k': ['x'] }), true],
  ['not equal', { StringEquals: { 'a:k': 'x' } }, keys({ 'a:k': ['y'] }), false],
  ['a key that is not there is equal to nothing', { StringEquals: { 'a:k': 'x' } }, get(), false],
  ['and different from everything', { StringNotEquals: { 'a:k': 'x' } }, get(), true],
  ['keys are the same in any case', { StringEquals: { 'A:K': 'x' } }, keys({ 'a:k': ['x'] }), true],
  ['an ARN with a wildcard', { ArnEquals: { 'a:k': 'arn:*:x' } }, keys({ 'a:k': ['arn:y:x'] }), true],
  ['Bool', { Bool: { 'a:k': 'true' } }, keys({ 'a:k': ['True'] }), true],
  ['Null of what is there', { Null: { 'a:k': 'false' } }, keys({ 'a:k': ['x'] }), true],
  ['Null of what is not', { Null: { 'a:k': 'false' } }, get(), false],
  ['all of them', { 'ForAllValues:StringEquals': { 'a:k': ['x', 'y'] } }, keys({ 'a:k': ['x', 'y'] }), true],
  ['all but one', { 'ForAllValues:StringEquals': { 'a:k': 'x' } }, keys({ 'a:k': ['x', 'y'] }), false],
  ['all of none', { 'ForAllValues:StringEquals': { 'a:k': 'x' } }, get(), true],
  ['any of them', { 'ForAnyValue:StringEquals': { 'a:k': 'x' } }, keys({ 'a:k': ['y', 'x'] }), true],
  ['any of none', { 'ForAnyValue:StringEquals': { 'a:k': 'x' } }, get(), false],
  [
    'every condition',
    { StringEquals: { 'a:k': 'x' }, Null: { 'a:j': 'false' } },
    keys({ 'a:k': ['x'] }),
    false,
  ],
])('%s', (_, Condition, ask, expected) => expect(decide(allow({ Condition }), ask)).toBe(expected));

test('a variable is the caller’s own value, and nothing where there is none', () => {
  const statement = allow({ Condition: { StringEquals: { 'a:k': `\${ec2:SourceInstanceARN}` } } });
  const caller = { 'ec2:SourceInstanceARN': ['arn:i-1'] };
  expect(decide(statement, keys({ 'a:k': ['arn:i-1'] }), caller)).toBe(true);
  expect(decide(statement, keys({ 'a:k': ['arn:i-2'] }), caller)).toBe(false);
  expect(decide(statement, keys({ 'a:k': [''] }))).toBe(false);
});

test.each<[object, string]>([
  [allow({ NotResource: TABLE }), 'role: the embedded AWS does not enforce NotResource.'],
  [
    allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    'role: the embedded AWS does not enforce the condition operator IpAddress.',
  ],
  [allow({ Effect: 'allow' }), 'role: Effect has to be Allow or Deny.'],
  [
    allow({ Condition: { 'ForSome:StringEquals': { k: 'x' } } }),
    'role: ForSome is no quantifier of a condition.',
  ],
])('what cannot be enforced is refused: %j', (statement, message) => {
  expect(() => readPolicy({ Statement: statement }, 'role')).toThrow(message);
});

test('a policy by its name is refused', () => {
  expect(() => readPolicy('AWSLambdaExecute', 'AcceptFunction')).toThrow(
    'AcceptFunction: a policy has to be',
  );
});
