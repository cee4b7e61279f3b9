import { describe, expect, it } from 'vitest';
import { isOtherNews, ON_ITS_WAY } from './waits.ts';

describe('isOtherNews', () => {
  it.each([
    [`${ON_ITS_WAY}: host i-0a1 (c6i.large, us-east-1a) is booting and has room for it`, ON_ITS_WAY],
    ['3 less urgent tasks on i-0a1 stop for it', '2 less urgent tasks on i-0b2 stop for it'],
    ['EC2 has none of the types: tried again in 90 s', 'EC2 has none of the types: tried again in 12.5 s'],
  ])('is not that %j becomes %j', (known, next) => {
    expect(isOtherNews(known, next)).toBe(false);
  });

  it.each([
    [ON_ITS_WAY, 'pool "general" is at its limit of 6 hosts: it waits for room there'],
    ['pool "general" is at its limit', 'pool "spot" is at its limit'],
  ])('is that %j becomes %j', (known, next) => {
    expect(isOtherNews(known, next)).toBe(true);
  });
});
