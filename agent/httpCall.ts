import { type WholeAnswer, wholeExchange } from './httpExchange.ts';

export interface HttpCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly boundMs: number;
}

const MAX_ANSWER_BYTES = 1_000_000;
const PORTS = { 'http:': 80, 'https:': 443 } as const;

/** One call of a URL. Rejects when nothing answers in time, the answer is malformed or too long. */
export async function httpCall(
  url: string,
  { method = 'GET', headers, body, boundMs }: HttpCall,
): Promise<WholeAnswer> {
  const { protocol, hostname, host, port, pathname, search } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new Error(`cannot call ${url}`);
  const peer = {
    // Brackets are the URL's, not the address's.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? PORTS[protocol] : Number(port),
    secure: protocol === 'https:',
  };
  const request = { method, path: pathname + search, headers: { host, ...headers } };
  const bounds = { boundMs, maxBytes: MAX_ANSWER_BYTES };
  return wholeExchange(peer, body === undefined ? request : { ...request, body }, bounds);
}
