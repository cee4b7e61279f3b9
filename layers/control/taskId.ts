import { createHash } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 26;

/**
 * The id of a task: what asked for it, under which key, and which of the request's tasks it is. The same request always
 * names the same tasks, which is what makes a repeat join them. 26 characters of base32 (RFC 4648, lower case) carry
 * 130 bits of SHA-256 and leave room for `:attempt` in ECS's 64-character client token.
 */
export function taskIdOf(source: string, idempotencyKey: string, ordinal: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([source, idempotencyKey, ordinal]))
    .digest();
  let bits = 0;
  let held = 0;
  let id = '';
  for (const byte of digest) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5 && id.length < LENGTH) {
      bits -= 5;
      id += ALPHABET[(held >> bits) & 31];
    }
  }
  return id;
}
