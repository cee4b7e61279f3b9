import type { Template } from '../../local/template/parse.ts';
import { isRecord } from '../../local/wire/convert.ts';

/** What a statement allows. */
export interface Statement {
  readonly actions: readonly string[];
  /** ARNs or patterns of them; what only a deployment knows stands as `x`. */
  readonly resources: readonly string[];
  readonly conditionKeys: readonly string[];
}

export interface Found {
  /** Logical id of the resource that holds it. */
  readonly where: string;
  readonly statement: Statement;
}

type Json = Readonly<Record<string, unknown>>;

/** Every identity's statements, wherever they stand. Those of a resource policy name a principal: they are not among them. */
export function policiesOf(template: Template): Found[] {
  return Object.entries(template.Resources).flatMap(([where, { Properties }]) =>
    statementsIn(Properties).map((statement) => ({ where, statement: read(statement, template) })),
  );
}

function statementsIn(value: unknown): Json[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (!isRecord(value)) return [];
  if (value.Effect !== undefined && value.Action !== undefined)
    return value.Principal === undefined ? [value] : [];
  return Object.values(value).flatMap(statementsIn);
}

function read(statement: Json, template: Template): Statement {
  const conditions = isRecord(statement.Condition) ? Object.values(statement.Condition) : [];
  return {
    actions: listOf(statement.Action).map(String),
    resources: listOf(statement.Resource).map((resource) => arnOf(resource, template)),
    conditionKeys: conditions.flatMap((operands) => Object.keys(operands as Json)),
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** An ARN of the kind that each resource has. */
const arns: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'arn:aws:dynamodb:x:x:table/x',
  'AWS::ECS::Cluster': 'arn:aws:ecs:x:x:cluster/x',
  'AWS::Events::EventBus': 'arn:aws:events:x:x:event-bus/x',
  'AWS::IAM::Role': 'arn:aws:iam::x:role/x',
  'AWS::Logs::LogGroup': 'arn:aws:logs:x:x:log-group:x:*',
  'AWS::SQS::Queue': 'arn:aws:sqs:x:x:x',
  'AWS::Serverless::LayerVersion': 'arn:aws:lambda:x:x:layer:x:1',
};

function arnOf(value: unknown, template: Template): string {
  if (typeof value === 'string') return value;
  if (isRecord(value)) {
    const attribute = value['Fn::GetAtt'] ?? value.Ref;
    if (attribute !== undefined) return arnOfResource(String(listOf(attribute)[0]), template);
    const text = value['Fn::Sub'];
    if (typeof text === 'string')
      return text
        .replace(/\$\{([A-Za-z]+)\.Arn\}/g, (_, logicalId: string) => arnOfResource(logicalId, template))
        .replace(/\$\{[^}]+\}/g, 'x');
  }
  throw new Error(`this is no resource of a statement that can be read: ${JSON.stringify(value)}`);
}

function arnOfResource(logicalId: string, template: Template): string {
  const type = template.Resources[logicalId]?.Type ?? 'undeclared';
  const arn = arns[type];
  if (arn === undefined) throw new Error(`${logicalId}: no ARN is known for ${type}`);
  return arn;
}

/**
 * Whether a pattern of a statement may mean resources of a type, whose ARN is like
 * `arn:${Partition}:ecs:${Region}:${Account}:cluster/${ClusterName}`.
 */
export const isInstance = (pattern: string, typeArn: string): boolean =>
  meet(pattern, typeArn.replace(/\$\{[^}]+\}/g, '*'));

/** Whether some text matches both patterns, in each of which `*` stands for any text. */
function meet(one: string, other: string): boolean {
  if (one === '' || other === '') return (one + other).replaceAll('*', '') === '';
  if (one[0] === '*') return meet(one.slice(1), other) || meet(one, other.slice(1));
  if (other[0] === '*') return meet(other, one);
  return one[0] === other[0] && meet(one.slice(1), other.slice(1));
}
