import type { Target } from '@aws-sdk/client-eventbridge';
import { ServiceError } from '../engine/service.ts';
import { InvalidInput } from './failure.ts';
import { compileJsonPath, type JsonPath } from './jsonPath.ts';

/** An event on a bus: its parsed form for matching, its text for delivery. */
export interface BusEvent {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly receivedAtMs: number;
}

export interface RuleName {
  readonly arn: string;
  readonly name: string;
}

/** Makes what a target receives of an event. Throws `InvalidInput` when the result is no JSON. */
export type Render = (event: BusEvent, rule: RuleName) => string;

const MAXIMUM_PATHS = 100;
const PLACEHOLDER = /<([\w.-]+)>/g;

const predefined: Readonly<Record<string, (event: BusEvent, rule: RuleName) => unknown>> = {
  'aws.events.rule-arn': (_event, rule) => rule.arn,
  'aws.events.rule-name': (_event, rule) => rule.name,
  'aws.events.event.ingestion-time': (event) => new Date(event.receivedAtMs).toISOString(),
  'aws.events.event': ({ json }) => {
    const { detail: _detail, ...rest } = json;
    return rest;
  },
  'aws.events.event.json': ({ json }) => json,
};

const refuse = (message: string): ServiceError => new ServiceError('ValidationException', message);

/** Compiles a target's Input, InputPath or InputTransformer. Throws ValidationException. */
export function compileInput({ Id: id = '', Input, InputPath, InputTransformer }: Target): Render {
  const given = [Input, InputPath, InputTransformer].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw refuse(`Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`);
  }
  if (Input !== undefined) {
    checkJson(Input, `JSON syntax error in input for target ${id}`);
    return () => Input;
  }
  if (InputPath !== undefined) {
    const path = jsonPath(InputPath, id);
    return ({ json }) => JSON.stringify(path(json) ?? null);
  }
  if (InputTransformer !== undefined) return compileTransformer(id, InputTransformer);
  return ({ text }) => text;
}

function jsonPath(text: string, id: string): JsonPath {
  const path = compileJsonPath(text);
  if (path === undefined) throw refuse(`Invalid InputPath for target ${id}: ${text}`);
  return path;
}

function checkJson(text: string, message: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw refuse(`${message}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Placeholder {
  readonly value: (event: BusEvent, rule: RuleName) => unknown;
  /** It stands within a string of the template. */
  readonly quoted: boolean;
}

function compileTransformer(id: string, transformer: NonNullable<Target['InputTransformer']>): Render {
  const { InputPathsMap = {}, InputTemplate: template } = transformer;
  if (template === undefined) throw refuse(`InputTemplate is required for target ${id}.`);
  const names = Object.entries(InputPathsMap);
  if (names.length > MAXIMUM_PATHS)
    throw refuse(`InputPathsMap of target ${id} has more than ${MAXIMUM_PATHS} keys.`);
  const values = new Map(Object.entries(predefined));
  for (const [name, text] of names) {
    if (/^aws\./i.test(name)) throw refuse(`Invalid InputPathsMap for target ${id}: ${name} is reserved.`);
    const path = jsonPath(text, id);
    values.set(name, ({ json }) => path(json));
  }
  const pieces = piecesOf(template, values);
  const sample = pieces.map((piece) => (typeof piece === 'string' ? piece : piece.quoted ? '' : 'null'));
  checkJson(sample.join(''), `Invalid InputTemplate for target ${id}`);
  return (event, rule) => {
    const text = pieces
      .map((piece) => (typeof piece === 'string' ? piece : fill(piece, event, rule)))
      .join('');
    try {
      JSON.parse(text);
    } catch {
      throw new InvalidInput(`The input template of target ${id} made no valid JSON of event.`);
    }
    return text;
  };
}

/** Literal text and placeholders in turn. A name that is not known is literal text. */
function piecesOf(
  template: string,
  values: ReadonlyMap<string, Placeholder['value']>,
): (string | Placeholder)[] {
  const pieces: (string | Placeholder)[] = [];
  let quoted = false;
  let from = 0;
  const literal = (text: string): void => {
    pieces.push(text);
    const quotes = text.replaceAll(/\\./g, '').split('"').length - 1;
    if (quotes % 2 === 1) quoted = !quoted;
  };
  for (const match of template.matchAll(PLACEHOLDER)) {
    const value = values.get(match[1] ?? '');
    if (value === undefined) continue;
    literal(template.slice(from, match.index));
    pieces.push({ value, quoted });
    from = match.index + match[0].length;
  }
  literal(template.slice(from));
  return pieces;
}

/**
 * Outside a string a value is JSON, an absent one the empty string. Inside a string, texts are escaped and objects lose
 * their quotation marks, as the real service renders them.
 */
function fill({ value, quoted }: Placeholder, event: BusEvent, rule: RuleName): string {
  const filling = value(event, rule);
  if (!quoted) return JSON.stringify(filling ?? (filling === null ? null : ''));
  if (filling === undefined) return '';
  if (typeof filling === 'string') return JSON.stringify(filling).slice(1, -1);
  return JSON.stringify(filling).replaceAll(/\\?"/g, '');
}
