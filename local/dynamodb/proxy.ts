import { Agent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Passthrough } from '../wire/passthrough.ts';
import { collect, endToEnd, type StoredAnswer } from './exchange.ts';
import { mayWrite, operationOf } from './operation.ts';
import { namesPlace, type Place, relocate } from './relocate.ts';

/** What stands between the wire and the database server. */
export interface DatabaseGate extends Passthrough {
  /** `body` is that of a request which has been read already. */
  forward(request: IncomingMessage, response: ServerResponse, body?: Buffer): void | Promise<void>;
  close(): void;
}

/**
 * Hands requests to the database server byte for byte, over connections that stay open; only answers that name the
 * Region or account are read. `onWrite` runs when a request that may have changed an item has been answered.
 */
export function databaseProxy(url: string, place: Place, onWrite: () => void): DatabaseGate {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true });

  const answerWith = async (answer: IncomingMessage, operation: string, response: ServerResponse) => {
    if (namesPlace(operation)) {
      return send(response, relocate(await collect(answer), operation, place));
    }
    response.writeHead(answer.statusCode ?? 500, endToEnd(answer.headers));
    if (mayWrite(operation)) onWrite();
    await pipeline(answer, response);
  };

  return {
    forward(request, response, body) {
      const options = {
        host: hostname,
        port,
        path: request.url,
        method: request.method,
        headers: endToEnd(request.headers),
        agent,
      };
      const upstream = httpRequest(options, (answer) => {
        // A server that dies in the middle of its answer, or a caller that hangs up in it.
        answerWith(answer, operationOf(request.headers), response).catch(() => refuse(response));
      });
      upstream.once('error', () => refuse(response));
      response.once('close', () => upstream.destroy());
      if (body === undefined) request.pipe(upstream);
      else upstream.end(body);
    },
    close: () => agent.destroy(),
  };
}

export function send(response: ServerResponse, { statusCode, headers, body }: StoredAnswer): void {
  response.writeHead(statusCode, headers);
  response.end(body);
}

/** While the server starts again. SDK clients try a 5xx again by themselves, as they do with the real service. */
export function refuse(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else sendError(response, 500, 'InternalServerError', 'The database does not answer; try again.');
}

export function sendError(response: ServerResponse, statusCode: number, code: string, message: string): void {
  const body = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message });
  response.writeHead(statusCode, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(body);
}
