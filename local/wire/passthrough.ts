import type { IncomingMessage, ServerResponse } from 'node:http';

/** A server that speaks an AWS protocol itself: its requests are handed on without being understood. */
export interface Passthrough {
  forward(request: IncomingMessage, response: ServerResponse): void | Promise<void>;
}
