import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { tableDefinition, timeToLiveAttribute } from './table.ts';

interface Template {
  readonly Resources: { readonly Table: { readonly Properties: Readonly<Record<string, unknown>> } };
}

it('is the table that the template declares', () => {
  const file = readFileSync(new URL('../../template.yaml', import.meta.url), 'utf8');
  // CloudFormation's short forms (!Ref, !GetAtt) are tags of their own; the table uses none.
  const { Resources } = parse(file, { logLevel: 'silent' }) as Template;
  const declared = Resources.Table.Properties;
  // SAM and CloudFormation enable a stream by naming its view.
  const { StreamSpecification, ...rest } = tableDefinition;
  expect(declared).toMatchObject(rest);
  expect(declared.StreamSpecification).toEqual({ StreamViewType: StreamSpecification.StreamViewType });
  expect(declared.TimeToLiveSpecification).toEqual({ AttributeName: timeToLiveAttribute, Enabled: true });
});
