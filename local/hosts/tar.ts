/** One member of an archive; a link's target is taken as it is. */
export type TarEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'file'; readonly data: Uint8Array; readonly mode: number }
  | { readonly path: string; readonly kind: 'symlink'; readonly target: string };

const BLOCK_BYTES = 512;
const TYPES = { directory: '5', file: '0', symlink: '2' } as const;
const NAME_MAX_BYTES = 100;

/** A POSIX ustar archive owned by root at epoch 0, so that equal content gives equal bytes. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks: Uint8Array[] = [];
  for (const entry of entries) {
    const data = entry.kind === 'file' ? entry.data : new Uint8Array();
    blocks.push(header(entry, data.length), data);
    const rest = data.length % BLOCK_BYTES;
    if (rest > 0) blocks.push(new Uint8Array(BLOCK_BYTES - rest));
  }
  // Two zero blocks end an archive.
  blocks.push(new Uint8Array(2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

function header(entry: TarEntry, sizeBytes: number): Buffer {
  const target = entry.kind === 'symlink' ? entry.target : '';
  if (Buffer.byteLength(entry.path) > NAME_MAX_BYTES || Buffer.byteLength(target) > NAME_MAX_BYTES) {
    throw new RangeError(`A path in an archive holds at most ${NAME_MAX_BYTES} bytes: ${entry.path}`);
  }
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  block.write(entry.path, 0);
  block.write(octal(entry.kind === 'file' ? entry.mode : entry.kind === 'symlink' ? 0o777 : 0o755, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(sizeBytes, 11), 124);
  block.write(octal(0, 11), 136);
  // The checksum counts its own field as spaces.
  block.write('        ', 148);
  block.write(TYPES[entry.kind], 156);
  block.write(target, 157);
  block.write('ustar\x0000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
