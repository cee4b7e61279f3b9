import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HttpAnswer } from './httpAnswer.ts';

interface Seen {
  readonly statuses: readonly number[];
  readonly body: string;
  readonly complete: boolean;
}

/** Reads the pieces and then the end of the connection, if the answer is not complete before. */
function read(pieces: readonly Buffer[]): Seen {
  const statuses: number[] = [];
  const body: Buffer[] = [];
  const answer = new HttpAnswer({
    head: (status) => statuses.push(status),
    body: (bytes) => body.push(Buffer.from(bytes)),
  });
  for (const piece of pieces) answer.push(piece);
  if (!answer.complete) answer.end();
  return { statuses, body: Buffer.concat(body).toString('latin1'), complete: answer.complete };
}

const readText = (text: string): Seen => read([Buffer.from(text, 'latin1')]);

/** The bytes in pieces that end where `cuts` says, each modulo the length. */
function split(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const ends = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

/** Bytes of any value, as a string of one character each. */
const content = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const cuts = fc.array(fc.nat(), { maxLength: 12 });
const status = fc.integer({ min: 200, max: 599 }).filter((code) => code !== 204 && code !== 304);
const others = fc.constantFrom('', 'Server: x\r\n', 'Empty:\r\nX-List: a, b\r\n');
const interim = fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early\r\nLink: a\r\n\r\n');

test('an answer of known length is read from whatever pieces it comes in, and nothing behind it', () => {
  fc.assert(
    fc.property(status, others, interim, content, content, cuts, (code, fields, before, body, behind, at) => {
      const text = `${before}HTTP/1.1 ${code} \r\n${fields}content-LENGTH: ${body.length} \r\n\r\n${body}${behind}`;
      expect(read(split(text, at))).toEqual({ statuses: [code], body, complete: true });
    }),
  );
});

test('an answer in chunks is put together', () => {
  const chunk = fc.record({ bytes: content, extension: fc.constantFrom('', ' ;a=b', ';"x"') });
  const trailer = fc.constantFrom('', 'Expires: never\r\n', 'A: 1\r\nB: 2\r\n');
  fc.assert(
    fc.property(
      status,
      others,
      fc.array(chunk, { maxLength: 5 }),
      trailer,
      cuts,
      (code, fields, all, end, at) => {
        // An empty chunk would be the last one.
        const chunks = all.filter(({ bytes }) => bytes !== '');
        const framed = chunks.map(
          ({ bytes, extension }) => `${bytes.length.toString(16)}${extension}\r\n${bytes}\r\n`,
        );
        const text = `HTTP/1.1 ${code} OK\r\n${fields}Transfer-Encoding: Chunked\r\n\r\n${framed.join('')}0\r\n${end}\r\n`;
        const body = chunks.map(({ bytes }) => bytes).join('');
        expect(read(split(text, at))).toEqual({ statuses: [code], body, complete: true });
      },
    ),
  );
});

test('an answer without a length lasts until the connection ends', () => {
  fc.assert(
    fc.property(content, cuts, (body, at) => {
      const seen = read(split(`HTTP/1.0 200 OK\r\nA: b\r\n\r\n${body}`, at));
      expect(seen).toEqual({ statuses: [200], body, complete: true });
    }),
  );
});

test('an answer that has no body is complete with its head', () => {
  for (const head of ['204 No Content\r\n', '304 Not Modified\r\nContent-Length: 7\r\n']) {
    expect(readText(`HTTP/1.1 ${head}\r\n`)).toMatchObject({ body: '', complete: true });
  }
});

test('an answer that is cut short is none, wherever it is cut', () => {
  for (const text of [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ]) {
    for (let length = 0; length < text.length; length += 1) {
      expect(() => readText(text.slice(0, length)), String(length)).toThrow(/ended before/);
    }
  }
});

test('what is not as the standard has it is refused', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
  for (const text of [
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n\r\n',
    `${ok}no colon\r\n\r\n`,
    `${ok}Content-Length : 1\r\n\r\n`,
    `${ok}A: b\r\n folded\r\n\r\n`,
    `${ok}Content-Length: -1\r\n\r\n`,
    `${ok}Content-Length: 1, 1\r\n\r\n`,
    `${ok}Content-Length: 1e3\r\n\r\n`,
    `${ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${chunked}x\r\n`,
    `${chunked}-1\r\n`,
    `${chunked}123456789\r\n`,
    `${chunked}1\r\nabc\r\n`,
  ]) {
    expect(() => readText(text), text).toThrow(/malformed/);
  }
});

test('a head, a line of framing or a trailer without end is refused early', () => {
  for (const start of ['HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;']) {
    const answer = new HttpAnswer({ head: () => {}, body: () => {} });
    answer.push(Buffer.from(start));
    const piece = Buffer.alloc(1_000, 'x');
    const pushes = (count: number): void => {
      for (let left = count; left > 0; left -= 1) answer.push(piece);
    };
    pushes(15);
    expect(() => pushes(2)).toThrow(/malformed/);
  }
});
