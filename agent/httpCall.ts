import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface HttpCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly boundMs: number;
}

const MAX_ANSWER_BYTES = 1_000_000;

/** One request over node:http(s): `fetch` would keep several MB more in a process that makes two calls a minute. */
export function httpCall(
  url: string,
  call: HttpCall,
): Promise<{ readonly status: number; readonly body: string }> {
  const send = url.startsWith('https:') ? secureRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const outgoing = send(url, {
      method: call.method ?? 'GET',
      headers: { ...call.headers },
      signal: AbortSignal.timeout(call.boundMs),
      agent: false,
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
        if (body.length > MAX_ANSWER_BYTES) outgoing.destroy(new Error(`${url} answered too much`));
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    outgoing.end(call.body);
  });
}
