import { createConnection, isIP, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from 'node:tls';
import { type AnswerReceiver, HttpAnswer } from './httpAnswer.ts';

export type HttpPeer =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly secure: boolean };

export interface HttpRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** With `host`, but without `connection` and `content-length`. */
  readonly headers: Readonly<Record<string, string>> & { readonly host: string };
  readonly body?: string;
}

/** When to give up. An exchange without either ends when the peer ends it. */
export interface ExchangeBounds {
  /** For all of it, from the connection to the last byte. */
  readonly boundMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Where sockets read to: Node.js would allocate 64 KiB for each read. One for all, since what is read is understood before
 * the next read.
 */
const readBuffer = Buffer.alloc(16_384);
let secureContext: SecureContext | undefined;

/**
 * One request of HTTP/1.1 on a connection of its own. `node:http` would keep a megabyte more in a process that makes few
 * calls a minute. Resolves when the answer is complete; rejects when there is none, it is malformed, or a bound is reached.
 */
export async function httpExchange(
  peer: HttpPeer,
  request: HttpRequest,
  receiver: AnswerReceiver,
  { boundMs, signal }: ExchangeBounds,
): Promise<void> {
  signal?.throwIfAborted();
  const text = requestText(request);
  return new Promise((resolve, reject) => {
    const answer = new HttpAnswer(receiver);
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    const abort = (): void => settle(signal?.reason);
    const timer =
      boundMs === undefined
        ? undefined
        : setTimeout(() => settle(new Error(`no whole answer within ${boundMs} ms`)), boundMs);
    signal?.addEventListener('abort', abort);
    const attempt = (step: () => void): void => {
      try {
        step();
        if (answer.complete) settle();
      } catch (error) {
        settle(error);
      }
    };
    const socket = open(peer, (bytes) => attempt(() => answer.push(bytes)));
    socket.on('end', () => attempt(() => answer.end()));
    socket.on('error', settle);
    socket.on('close', () => settle(new Error('the connection was closed')));
    socket.write(text);
  });
}

export interface WholeAnswer {
  readonly status: number;
  readonly body: string;
}

/** The same, for an answer that is only of use as a whole. Rejects too when it is longer than `maxBytes`. */
export async function wholeExchange(
  peer: HttpPeer,
  request: HttpRequest,
  { maxBytes, ...bounds }: ExchangeBounds & { readonly maxBytes: number },
): Promise<WholeAnswer> {
  let status = 0;
  let length = 0;
  const pieces: Buffer[] = [];
  const receiver: AnswerReceiver = {
    head: (given) => {
      status = given;
    },
    body: (bytes) => {
      length += bytes.length;
      if (length > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`);
      pieces.push(Buffer.from(bytes));
    },
  };
  await httpExchange(peer, request, receiver, bounds);
  return { status, body: Buffer.concat(pieces).toString() };
}

function open(peer: HttpPeer, read: (bytes: Buffer) => void): Socket {
  const onread: OnReadOpts = {
    buffer: readBuffer,
    callback: (length) => {
      read(readBuffer.subarray(0, length));
      return true;
    },
  };
  if ('socketPath' in peer) return createConnection({ path: peer.socketPath, onread });
  const { host, port, secure } = peer;
  if (!secure) return createConnection({ host, port, onread });
  secureContext ??= createSecureContext();
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Its types know no `onread`.
  const options = { host, port, ...name, onread, secureContext, ALPNProtocols: ['http/1.1'] };
  return connect(options as ConnectionOptions);
}

/** Throws for what would end a line of the head early: it could become a header or a request of somebody else's making. */
function requestText({ method, path, headers, body }: HttpRequest): string {
  const content = body ?? (method === 'GET' ? undefined : '');
  const length = content === undefined ? {} : { 'content-length': Buffer.byteLength(content) };
  const fields = Object.entries({ ...headers, connection: 'close', ...length });
  const lines = [`${method} ${path} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  if (/\s/.test(path) || lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new Error(`not a request: ${JSON.stringify(lines)}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n${content ?? ''}`;
}
