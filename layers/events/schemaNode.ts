import type * as v from 'valibot';

/**
 * What can be read off a valibot schema without running it. Valibot keeps everything in plain properties; this is the one
 * place that knows their names.
 */
export interface SchemaNode {
  readonly type: string;
  readonly entries?: Readonly<Record<string, SchemaNode>>;
  readonly item?: SchemaNode;
  readonly value?: SchemaNode;
  readonly wrapped?: SchemaNode;
  readonly key?: string;
  readonly options?: readonly SchemaNode[];
  readonly literal?: unknown;
  readonly pipe?: readonly (SchemaNode & {
    readonly description?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
  })[];
}

export type AnySchema = v.GenericSchema<unknown, unknown>;

export const nodeOf = (schema: AnySchema): SchemaNode => schema as unknown as SchemaNode;

/** Looks through `optional` and the like. */
export const unwrapped = (node: SchemaNode): SchemaNode => (node.wrapped ? unwrapped(node.wrapped) : node);

/** The option of a variant that the value has chosen by its discriminator. */
export function chosenOption(node: SchemaNode, value: unknown): SchemaNode | undefined {
  const key = node.key;
  if (node.type !== 'variant' || key === undefined) return node;
  const chosen = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return node.options?.find((option) => accepts(option.entries?.[key], chosen));
}

function accepts(node: SchemaNode | undefined, value: unknown): boolean {
  if (node?.type === 'literal') return node.literal === value;
  // A picklist keeps its values where a variant keeps its schemas.
  return (
    node?.type === 'picklist' && (node.options as readonly unknown[] | undefined)?.includes(value) === true
  );
}

/** The node one step down, for the key and the value the step starts from. */
export function stepInto(node: SchemaNode | undefined, value: unknown, key: unknown): SchemaNode | undefined {
  if (node === undefined) return undefined;
  const inner = unwrapped(node);
  if (inner.type === 'variant') {
    const option = chosenOption(inner, value);
    if (option) return option === inner ? undefined : stepInto(option, value, key);
    return inner.options?.map((each) => each.entries?.[String(key)]).find(Boolean);
  }
  if (inner.entries) {
    return Object.hasOwn(inner.entries, String(key)) ? inner.entries[String(key)] : undefined;
  }
  return inner.item ?? inner.value;
}

/** What the schema's author says of a field: `must be <description>`, and the fix. Outer words win over inner ones. */
export function wordsOf(node: SchemaNode | undefined): { readonly must?: string; readonly fix?: string } {
  if (node === undefined) return {};
  let must: string | undefined;
  let fix: string | undefined;
  for (const action of node.pipe ?? []) {
    if (action.type === 'description') must = action.description;
    if (action.type === 'metadata') fix = action.metadata?.fix as string | undefined;
  }
  if (must === undefined && node.wrapped) return wordsOf(node.wrapped);
  return { ...(must === undefined ? {} : { must }), ...(fix === undefined ? {} : { fix }) };
}
