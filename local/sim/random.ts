/** A stream of random numbers: the same seed and name give the same numbers on every machine. */
export interface Random {
  /** 0 <= x < 1 */
  next(): number;
  chance(probability: number): boolean;
  /** An integer, both ends included. */
  between(min: number, max: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** Exponentially distributed around `mean`, at most twenty times it. */
  around(mean: number): number;
  hex(length: number): string;
}

/** FNV-1a over the name, so that streams of one seed are independent of the order in which they are made. */
function mix(seed: number, name: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

/** mulberry32. Each purpose has a stream of its own: what one draws more of does not shift the others. */
export function seededRandom(seed: number, name: string): Random {
  let state = mix(seed, name);
  const bits = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const random: Random = {
    next: () => bits() / 0x1_0000_0000,
    chance: (probability) => probability > 0 && random.next() < probability,
    between: (min, max) => min + Math.floor(random.next() * (max - min + 1)),
    pick: (items) => items[random.between(0, items.length - 1)] ?? items[0],
    around: (mean) => Math.min(20 * mean, -mean * Math.log(1 - random.next())),
    hex(length) {
      let hex = '';
      while (hex.length < length) hex += bits().toString(16).padStart(8, '0');
      return hex.slice(0, length);
    },
  };
  return random;
}
