import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signingNameOf } from './address.ts';
import { BodyTooLarge, readBody } from './body.ts';
import { Dispatcher, type ServiceBinding } from './dispatch.ts';
import type { Gate } from './gate.ts';
import type { Passthrough } from './passthrough.ts';
import type { WireReply } from './protocol.ts';

export interface WireOptions {
  /** 0 asks the system for a free port; 4566 is what clients of an embedded AWS expect. */
  readonly port?: number;
  readonly host?: string;
  readonly services: readonly ServiceBinding[];
  /** Without one, everybody may do everything. Passthroughs have their own. */
  readonly gate?: Gate;
  /** Servers that speak their own protocol and get their requests as they came, by signing name. */
  readonly passthroughs?: Readonly<Record<string, Passthrough>>;
  /** Plain HTTP beside the AWS protocols, by path prefix, e.g. a layer's download. */
  readonly routes?: Readonly<Record<string, RouteHandler>>;
  /** Members added to the answer of `GET /_berth/health`. */
  readonly health?: () => Readonly<Record<string, unknown>>;
  readonly log: (line: string) => void;
  readonly maxBodyBytes?: number;
}

export type RouteHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export interface Wire {
  /** `http://127.0.0.1:4566` */
  readonly url: string;
  /** Ends open long polls, refuses new requests and resolves when the port is free. */
  close(): Promise<void>;
}

/** Lambda's own bound on a direct upload of code, the largest request of any service here. */
const MAX_BODY_BYTES = 70_167_211;

/** Longer than SDK clients keep idle connections, so that the server is never the one to close under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 180_000;

export const HEALTH_PATH = '/_berth/health';

/** Serves every bound service on one HTTP endpoint. Rejects when the port is taken. */
export async function startWire(options: WireOptions): Promise<Wire> {
  const endpoint = new Endpoint(options);
  const server = createServer((request, response) => {
    void endpoint.serve(request, response);
  });
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  const host = options.host ?? '127.0.0.1';
  await listen(server, options.port ?? 4566, host);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

class Endpoint {
  readonly #options: WireOptions;
  readonly #dispatcher: Dispatcher;
  readonly #maxBodyBytes: number;
  readonly #routes: readonly (readonly [string, RouteHandler])[];

  constructor(options: WireOptions) {
    this.#options = options;
    this.#dispatcher = new Dispatcher(options.services, options.log, options.gate);
    this.#maxBodyBytes = options.maxBodyBytes ?? MAX_BODY_BYTES;
    this.#routes = Object.entries(options.routes ?? {});
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#serve(request, response);
    } catch (error) {
      this.#options.log(`${request.method} ${request.url} failed: ${String(error)}`);
      if (response.headersSent) response.destroy();
      else
        send(
          response,
          plainError(500, 'InternalFailure', 'The request failed because of an internal error.'),
        );
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const mark = target.indexOf('?');
    const path = mark < 0 ? target : target.slice(0, mark);
    if (path === HEALTH_PATH) return send(response, this.#health());
    const route = this.#routes.find(([prefix]) => path.startsWith(prefix));
    if (route !== undefined) return route[1](request, response);
    const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
    const passthrough = this.#options.passthroughs?.[signingNameOf(request.headers, query) ?? ''];
    if (passthrough !== undefined) return passthrough.forward(request, response);
    return this.#call(request, response, path, query);
  }

  async #call(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
  ): Promise<void> {
    const caller = new AbortController();
    response.once('close', () => caller.abort());
    const body = await readBody(request, this.#maxBodyBytes).catch((error: unknown) => error);
    if (!Buffer.isBuffer(body)) return refuseBody(response, body);
    const method = request.method ?? 'GET';
    const wireRequest = { method, path, query, headers: request.headers, body };
    send(response, await this.#dispatcher.answer(wireRequest, randomUUID(), caller.signal));
  }

  #health(): WireReply {
    const services = [
      ...this.#dispatcher.signingNames,
      ...Object.keys(this.#options.passthroughs ?? {}),
    ].sort();
    const body = { status: 'ok', services, ...this.#options.health?.() };
    return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }
}

/** The rest of a body that is refused is never read: the connection ends with the answer. */
function refuseBody(response: ServerResponse, reason: unknown): void {
  response.setHeader('connection', 'close');
  if (reason instanceof BodyTooLarge) {
    send(response, plainError(413, 'RequestEntityTooLargeException', reason.message));
  } else {
    send(response, plainError(400, 'SerializationException', 'the body cannot be read'));
  }
}

function plainError(statusCode: number, code: string, message: string): WireReply {
  return {
    statusCode,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message }),
  };
}

function send(response: ServerResponse, reply: WireReply): void {
  if (response.destroyed) return;
  const bytes = typeof reply.body === 'string' ? Buffer.byteLength(reply.body) : reply.body.byteLength;
  const headers =
    reply.statusCode === 204 ? reply.headers : { ...reply.headers, 'content-length': String(bytes) };
  response.writeHead(reply.statusCode, headers);
  response.end(reply.body);
}
