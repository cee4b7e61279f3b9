import type { Template, TemplateResource } from './parse.ts';

/** What a created resource answers to `Ref` and `GetAtt`. */
export interface Created {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ResourceRequest {
  readonly logicalId: string;
  readonly type: string;
  /** Intrinsic functions resolved; nothing else changed. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Makes one resource, or finds the one a former start has made. */
export type Provider = (request: ResourceRequest) => Created | Promise<Created>;

export interface StackInput {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, string>>;
  /** `AWS::Region` and the like. */
  readonly pseudo: Readonly<Record<string, string>>;
  readonly providers: Readonly<Record<string, Provider>>;
}

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export interface Stack {
  readonly resources: ReadonlyMap<string, Created>;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * Creates every resource of a template, each after those it refers to. A type without a provider is an error: what the
 * embedded AWS cannot make must not look as if it were there.
 */
export async function createStack(input: StackInput): Promise<Stack> {
  const builder = new StackBuilder(input);
  for (const logicalId of Object.keys(input.template.Resources)) await builder.create(logicalId);
  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(input.template.Outputs ?? {})) {
    outputs[name] = String(await builder.resolve(output.Value, `Outputs.${name}`));
  }
  return { resources: builder.created, outputs };
}

class StackBuilder {
  readonly created = new Map<string, Created>();
  readonly #input: StackInput;
  readonly #underWay = new Set<string>();

  constructor(input: StackInput) {
    this.#input = input;
  }

  async create(logicalId: string): Promise<Created> {
    const known = this.created.get(logicalId);
    if (known) return known;
    const resource = this.#input.template.Resources[logicalId];
    if (!resource)
      throw new TemplateError(`The template refers to "${logicalId}", which it does not declare.`);
    if (this.#underWay.has(logicalId)) {
      throw new TemplateError(
        `Resources refer to each other in a circle: ${[...this.#underWay, logicalId].join(' -> ')}.`,
      );
    }
    const provider = this.#input.providers[resource.Type];
    if (!provider) throw new TemplateError(`${logicalId}: the embedded AWS has no ${resource.Type}.`);
    this.#underWay.add(logicalId);
    for (const dependency of [resource.DependsOn ?? []].flat()) await this.create(dependency);
    const properties = await this.resolve(this.#withGlobals(resource), logicalId);
    const created = await provider({
      logicalId,
      type: resource.Type,
      properties: properties as Record<string, unknown>,
    });
    this.#underWay.delete(logicalId);
    this.created.set(logicalId, created);
    return created;
  }

  /** SAM merges `Globals.Function` under each function, environment variables one by one. */
  #withGlobals(resource: TemplateResource): Readonly<Record<string, unknown>> {
    const own = resource.Properties ?? {};
    const globals = this.#input.template.Globals?.Function;
    if (resource.Type !== 'AWS::Serverless::Function' || !globals) return own;
    const variables = (source: Readonly<Record<string, unknown>>): object =>
      (source.Environment as { Variables?: object } | undefined)?.Variables ?? {};
    return { ...globals, ...own, Environment: { Variables: { ...variables(globals), ...variables(own) } } };
  }

  async resolve(value: unknown, where: string): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((item) => this.resolve(item, where)));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only && entries.length === 1) {
      const [name, argument] = only;
      if (name === 'Ref') return this.#ref(String(argument));
      if (name.startsWith('Fn::')) return this.#call(name, argument, where);
    }
    const resolved: Record<string, unknown> = {};
    // One after another, so that a circle is told by the order in which it was entered.
    for (const [key, item] of entries) resolved[key] = await this.resolve(item, `${where}.${key}`);
    return resolved;
  }

  async #ref(name: string): Promise<string> {
    const { parameters, pseudo, template } = this.#input;
    const simple = pseudo[name] ?? parameters[name];
    if (simple !== undefined) return simple;
    const declared = template.Parameters?.[name];
    if (declared) {
      if (declared.Default === undefined)
        throw new TemplateError(`The parameter ${name} has no default and was not given.`);
      return String(declared.Default);
    }
    return (await this.create(name)).ref;
  }

  async #attribute(logicalId: string, attribute: string): Promise<string> {
    const created = await this.create(logicalId);
    const value = created.attributes[attribute];
    if (value === undefined) {
      const known = Object.keys(created.attributes).join(', ');
      throw new TemplateError(`${logicalId} has no attribute ${attribute}; it has: ${known || 'none'}.`);
    }
    return value;
  }

  async #call(name: string, argument: unknown, where: string): Promise<unknown> {
    switch (name) {
      case 'Fn::GetAtt': {
        const [logicalId = '', ...rest] =
          typeof argument === 'string' ? argument.split('.') : (argument as string[]);
        return this.#attribute(logicalId, rest.join('.'));
      }
      case 'Fn::Sub':
        return this.#substitute(argument);
      case 'Fn::Base64':
        return Buffer.from(String(await this.resolve(argument, where))).toString('base64');
      case 'Fn::Join': {
        const [separator, parts] = (await this.resolve(argument, where)) as [string, string[]];
        return parts.join(separator);
      }
      default:
        throw new TemplateError(`${where}: the embedded AWS does not know ${name}.`);
    }
  }

  async #substitute(argument: unknown): Promise<string> {
    const [text, local] = Array.isArray(argument)
      ? [String(argument[0]), (await this.resolve(argument[1], 'Fn::Sub')) as Record<string, string>]
      : [String(argument), {} as Record<string, string>];
    let result = '';
    let end = 0;
    for (const match of text.matchAll(/\$\{(!?)([^}]+)\}/g)) {
      const [whole, literal, name = ''] = match;
      result += text.slice(end, match.index);
      end = match.index + whole.length;
      if (literal) result += `\${${name}}`;
      else if (local[name] !== undefined) result += local[name];
      else if (name.includes('.')) {
        const [logicalId = '', ...rest] = name.split('.');
        result += await this.#attribute(logicalId, rest.join('.'));
      } else result += await this.#ref(name);
    }
    return result + text.slice(end);
  }
}
