import {
  type Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';

/** Headers that are about one connection and not about the message. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'proxy-connection']);

export function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!HOP_BY_HOP.has(name)) kept[name] = value;
  }
  return kept;
}

/** A whole answer, kept to be given later, changed, twice or not at all. */
export interface StoredAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Reads an answer to its end. Rejects when the server dies on the way. */
export async function collect(answer: IncomingMessage): Promise<StoredAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return {
    statusCode: answer.statusCode ?? 500,
    headers: endToEnd(answer.headers),
    body: Buffer.concat(chunks),
  };
}

/** Sends a request whose body has been read on to the database server, and reads the whole answer. */
export function exchange(
  url: URL,
  agent: Agent,
  request: IncomingMessage,
  body: Buffer,
): Promise<StoredAnswer> {
  return new Promise((resolve, reject) => {
    const upstream = httpRequest(
      {
        host: url.hostname,
        port: url.port,
        path: request.url,
        method: request.method,
        headers: { ...endToEnd(request.headers), 'content-length': body.length },
        agent,
      },
      (answer) => resolve(collect(answer)),
    );
    upstream.once('error', reject);
    upstream.end(body);
  });
}
