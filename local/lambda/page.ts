/** One page of a list; the marker is the position in the list, opaque to callers. */
export function page<T>(
  all: readonly T[],
  marker: string | undefined,
  size: number,
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const start = marker ? Number.parseInt(Buffer.from(marker, 'base64url').toString(), 10) || 0 : 0;
  const end = start + Math.max(1, size);
  const next = end < all.length ? Buffer.from(String(end)).toString('base64url') : undefined;
  return { items: all.slice(start, end), next };
}
