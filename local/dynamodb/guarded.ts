import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../engine/service.ts';
import { accessKeyIdOf } from '../wire/address.ts';
import { readBody } from '../wire/body.ts';
import type { Gate } from '../wire/gate.ts';
import type { Passthrough } from '../wire/passthrough.ts';
import { MAX_BODY_BYTES, operationOf } from './operation.ts';
import { type DatabaseGate, refuse, sendError } from './proxy.ts';

/** The database with every request of a role held to what the role may do. Requests of others pass unread. */
export function guarded(proxy: DatabaseGate, gate: Gate): Passthrough {
  const check = async (caller: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body = await readBody(request, MAX_BODY_BYTES);
      const operation = operationOf(request.headers);
      await gate.check(caller, {
        signingName: 'dynamodb',
        operation,
        input: JSON.parse(body.toString('utf8')),
      });
      await proxy.forward(request, response, body);
    } catch (error) {
      if (error instanceof ServiceError) sendError(response, error.statusCode, error.code, error.message);
      else if (error instanceof SyntaxError)
        sendError(response, 400, 'SerializationException', error.message);
      else refuse(response);
    }
  };
  return {
    forward(request, response) {
      const caller = accessKeyIdOf(request.headers, new URLSearchParams());
      if (caller === undefined || !gate.governs(caller)) return proxy.forward(request, response);
      return check(caller, request, response);
    },
  };
}
