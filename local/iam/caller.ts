/** Who calls with a role's credentials here: told by the access key id itself, so that it survives every restart. */
export type Caller =
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'instance'; readonly name: string };

export const accessKeyIdOf = ({ kind, name }: Caller): string => `${kind}.${name}`;

/** Undefined for any other key: whoever has one is the account's own administrator. */
export function callerOf(accessKeyId: string): Caller | undefined {
  const [, kind, name] = /^(function|instance)\.(.+)$/.exec(accessKeyId) ?? [];
  return kind === undefined || name === undefined ? undefined : { kind: kind as Caller['kind'], name };
}
