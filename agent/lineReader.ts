const NEWLINE = 0x0a;
/** Longer than any line the engine writes. */
const MAX_LINE_BYTES = 1_000_000;

/** Puts lines of UTF-8 together from pieces that may end anywhere, within a character too. Empty lines are left out. */
export class LineReader {
  readonly #line: (line: string) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(line: (line: string) => void) {
    this.#line = line;
  }

  /** Throws when a line is too long to be one. */
  push(piece: Buffer): void {
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      if (end > from) this.#line(bytes.toString('utf8', from, end));
      from = end + 1;
    }
    if (bytes.length - from > MAX_LINE_BYTES) throw new Error('a line of the engine has no end');
    // A copy: the piece is valid during the call only.
    this.#held = Buffer.from(bytes.subarray(from));
  }
}
