import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tableDefinition } from '../layers/store/table.ts';
import { parseTemplate } from '../local/template/parse.ts';

const template = parseTemplate(readFileSync(resolve(import.meta.dirname, '../template.yaml'), 'utf8'));

test('the deployed table is the one that the store is tested on', () => {
  const properties = template.Resources.Table?.Properties ?? {};
  const sameNames = (items: unknown): unknown =>
    (items as { AttributeName: string }[]).toSorted((a, b) => (a.AttributeName < b.AttributeName ? -1 : 1));
  expect(properties.KeySchema).toEqual(tableDefinition.KeySchema);
  expect(sameNames(properties.AttributeDefinitions)).toEqual(sameNames(tableDefinition.AttributeDefinitions));
  expect(properties.GlobalSecondaryIndexes).toEqual(tableDefinition.GlobalSecondaryIndexes);
  expect(properties.TimeToLiveSpecification).toMatchObject({ AttributeName: 'expiresAt', Enabled: true });
});

test('every queue that a rule, a mapping or a function fills has an alarm on its dead letters', () => {
  const resources = Object.entries(template.Resources);
  const watched = JSON.stringify(resources.filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm'));
  const deadLetters = resources.map(([name]) => name).filter((name) => name.endsWith('DeadLetters'));
  expect(deadLetters.length).toBeGreaterThan(5);
  for (const name of deadLetters) expect(watched, name).toContain(`"${name}"`);
});

test('a message comes back no earlier than its function’s time is over', () => {
  const timeoutSeconds = Number(template.Globals?.Function?.Timeout);
  for (const [name, { Type, Properties = {} }] of Object.entries(template.Resources)) {
    if (Type !== 'AWS::SQS::Queue' || Properties.RedrivePolicy === undefined) continue;
    expect(Number(Properties.VisibilityTimeout), name).toBeGreaterThanOrEqual(timeoutSeconds);
  }
});
