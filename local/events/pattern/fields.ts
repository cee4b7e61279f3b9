export type Scalar = string | number | boolean | null;

/** Which element of which array a value stands in, outermost last. Arrays are numbered within their event. */
export interface Membership {
  readonly array: number;
  readonly element: number;
  readonly outer: Membership | undefined;
}

export interface Field {
  readonly value: Scalar;
  readonly membership: Membership | undefined;
}

/** An event's leaf values by dotted path. */
export type Fields = ReadonlyMap<string, readonly Field[]>;

/**
 * Flattens an event. Scalars in an array do not count as members of it, objects and arrays in it do: this is what makes
 * matching consistent over arrays (`Event` in aws/event-ruler). Subtrees under names outside `steps` are left out.
 */
export function flatten(event: Readonly<Record<string, unknown>>, steps?: ReadonlySet<string>): Fields {
  const fields = new Map<string, Field[]>();
  let arrays = 0;

  const visit = (value: unknown, path: string, membership: Membership | undefined): void => {
    if (Array.isArray(value)) {
      const array = arrays++;
      for (const [element, item] of value.entries()) {
        const isNested = typeof item === 'object' && item !== null;
        visit(item, path, isNested ? { array, element, outer: membership } : membership);
      }
      return;
    }
    if (typeof value === 'object' && value !== null) {
      for (const [name, child] of Object.entries(value)) {
        if (steps === undefined || steps.has(name))
          visit(child, path === '' ? name : `${path}.${name}`, membership);
      }
      return;
    }
    const field: Field = { value: value as Scalar, membership };
    const known = fields.get(path);
    if (known === undefined) fields.set(path, [field]);
    else known.push(field);
  };

  visit(event, '', undefined);
  return fields;
}
