import { isIPv4, isIPv6 } from 'node:net';
import { invalidPattern } from './errors.ts';

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) {
    const value = text.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return { bits: 32, value };
  }
  if (!isIPv6(text) || text.includes('%')) return undefined;
  // The last 32 bits may be written as an IPv4 address.
  const dotted = /^(.*:)([\d.]+\.[\d.]+)$/.exec(text);
  const low = dotted === null ? undefined : parseAddress(dotted[2] ?? '')?.value;
  const words =
    dotted === null || low === undefined
      ? text
      : `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  const [head = '', tail] = words.split('::');
  const wordsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const first = wordsOf(head);
  const last = tail === undefined ? [] : wordsOf(tail);
  const gap: string[] = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const value = [...first, ...gap, ...last].reduce((sum, word) => (sum << 16n) | BigInt(`0x${word}`), 0n);
  return { bits: 128, value };
}

/** Whether an address lies in the block, e.g. `10.0.0.0/24`; addresses of the other family do not. */
export function cidrTest(cidr: string): (text: string) => boolean {
  const [base = '', length = '', ...rest] = cidr.split('/');
  const network = parseAddress(base);
  const prefix = Number(length);
  if (network === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length) || prefix > network.bits) {
    throw invalidPattern(`Malformed CIDR, one '/' required: ${cidr}`);
  }
  const shift = BigInt(network.bits - prefix);
  return (text) => {
    const address = parseAddress(text);
    return address?.bits === network.bits && address.value >> shift === network.value >> shift;
  };
}
