import { randomBytes } from 'node:crypto';
import type { Ids } from '../ports/ids.ts';

/** 128 random bits in base 36: at most 25 characters. */
export const randomIds: Ids = {
  next: () =>
    BigInt(`0x${randomBytes(16).toString('hex')}`)
      .toString(36)
      .padStart(25, '0'),
};
