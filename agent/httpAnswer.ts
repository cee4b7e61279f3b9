/** Who is told of an answer as it comes. */
export interface AnswerReceiver {
  /** The final status: what is interim (1xx) is not told. */
  head(status: number): void;
  /** A piece of the body, without its framing. Valid during the call only. */
  body(bytes: Buffer): void;
}

/** What comes next. `size` and `after` are lines of a chunked body: before and behind the bytes of a chunk. */
type State = 'head' | 'size' | 'chunk' | 'after' | 'trailer' | 'sized' | 'rest' | 'complete';

/** Everything that must be seen whole before it is understood: the head, and each line of framing. */
const MAX_HELD_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);
const MALFORMED = 'a malformed HTTP answer';

/**
 * Reads one answer of HTTP/1.1 (RFC 9112, sections 4 to 7) from the bytes of a connection that is used for one request, in
 * whatever pieces they come. Strict: what is not as the standard has it throws, and what follows the answer is ignored.
 */
export class HttpAnswer {
  readonly #receiver: AnswerReceiver;
  #state: State = 'head';
  #held = NOTHING;
  /** Bytes of the body, or of its chunk, that are still to come. */
  #left = 0;

  constructor(receiver: AnswerReceiver) {
    this.#receiver = receiver;
  }

  get complete(): boolean {
    return this.#state === 'complete';
  }

  /** Takes the next bytes. Throws when they cannot be an answer. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && this.#state !== 'complete') {
      at = this.#isBody ? this.#takeBody(bytes, at) : this.#takeText(bytes, at);
    }
  }

  /** The peer sends nothing more: that is the end of a body without a length, and too early for any other. */
  end(): void {
    if (this.#state === 'rest') this.#state = 'complete';
    if (!this.complete) throw new Error('the connection ended before the answer did');
  }

  get #isBody(): boolean {
    return this.#state === 'chunk' || this.#state === 'sized' || this.#state === 'rest';
  }

  #takeBody(bytes: Buffer, at: number): number {
    const end = this.#state === 'rest' ? bytes.length : Math.min(bytes.length, at + this.#left);
    this.#receiver.body(bytes.subarray(at, end));
    if (this.#state === 'rest') return end;
    this.#left -= end - at;
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'after' : 'complete';
    return end;
  }

  /** Holds back until the head, or a line, is whole. */
  #takeText(bytes: Buffer, at: number): number {
    const held = this.#held.length;
    const text = held === 0 ? bytes.subarray(at) : Buffer.concat([this.#held, bytes.subarray(at)]);
    const delimiter = this.#state === 'head' ? '\r\n\r\n' : '\r\n';
    const length = text.indexOf(delimiter);
    if ((length < 0 ? text.length : length) > MAX_HELD_BYTES) throw new Error(MALFORMED);
    if (length < 0) {
      this.#held = Buffer.from(text);
      return bytes.length;
    }
    this.#held = NOTHING;
    this.#understand(text.toString('latin1', 0, length));
    return at + length + delimiter.length - held;
  }

  #understand(text: string): void {
    switch (this.#state) {
      case 'head':
        this.#takeHead(text);
        return;
      case 'size': {
        const size = /^([0-9a-f]{1,8})[\t ]*(?:;.*)?$/i.exec(text)?.[1];
        if (size === undefined) throw new Error(MALFORMED);
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailer' : 'chunk';
        return;
      }
      case 'after':
        if (text !== '') throw new Error(MALFORMED);
        this.#state = 'size';
        return;
      default:
        if (text === '') this.#state = 'complete';
    }
  }

  #takeHead(head: string): void {
    const lines = head.split('\r\n');
    const status = Number(/^HTTP\/1\.[01] ([1-5]\d\d)(?: |$)/.exec(lines[0] ?? '')?.[1]);
    // 101 would change the protocol, which nobody here asks for.
    if (Number.isNaN(status) || status === 101) throw new Error(MALFORMED);
    if (status < 200) return;
    let length: number | undefined;
    let chunked = false;
    for (const line of lines.slice(1)) {
      const [, name, value = ''] = /^([^\s:]+):[\t ]*(.*?)[\t ]*$/.exec(line) ?? [];
      if (name === undefined) throw new Error(MALFORMED);
      if (name.toLowerCase() === 'content-length') {
        const known = length;
        length = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
        if (Number.isNaN(length) || (known ?? length) !== length) throw new Error(MALFORMED);
      }
      if (name.toLowerCase() === 'transfer-encoding') {
        if (chunked || value.toLowerCase() !== 'chunked') throw new Error(MALFORMED);
        chunked = true;
      }
    }
    this.#state = bodyOf(status, chunked, length);
    this.#left = length ?? 0;
    this.#receiver.head(status);
  }
}

/** How the body is framed (RFC 9112, 6.3), for requests other than HEAD and CONNECT. */
function bodyOf(status: number, chunked: boolean, length: number | undefined): State {
  if (status === 204 || status === 304) return 'complete';
  if (chunked) return 'size';
  if (length === undefined) return 'rest';
  return length === 0 ? 'complete' : 'sized';
}
