import { type CollectionTag, parse, type ScalarTag } from 'yaml';

/** A template as written, short forms (`!Ref x`) turned into long ones (`{Ref: x}`). */
export interface Template {
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Globals?: { readonly Function?: Readonly<Record<string, unknown>> };
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
}

const longName = (short: string): string =>
  short === 'Ref' || short === 'Condition' ? short : `Fn::${short}`;

const functions = [
  'Ref',
  'GetAtt',
  'Sub',
  'Join',
  'Select',
  'Split',
  'If',
  'Equals',
  'Base64',
  'FindInMap',
  'ImportValue',
];

/** CloudFormation's short forms as YAML tags on scalars and collections. */
const tags = functions.flatMap((name): (ScalarTag | CollectionTag)[] => [
  {
    tag: `!${name}`,
    resolve: (text: string) =>
      name === 'GetAtt' ? { 'Fn::GetAtt': text.split('.') } : { [longName(name)]: text },
  },
  {
    tag: `!${name}`,
    collection: 'seq',
    resolve: (sequence) => ({ [longName(name)]: (sequence as { toJSON(): unknown }).toJSON() }) as never,
  },
]);

export function parseTemplate(text: string): Template {
  return parse(text, { customTags: tags }) as Template;
}
