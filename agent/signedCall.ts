import { httpCall } from './httpCall.ts';
import { type Credentials, signedHeaders } from './signature.ts';

export interface AwsService {
  /** As the signature names it, e.g. `dynamodb`. */
  readonly service: string;
  readonly region: string;
  readonly endpoint: string;
  /** What `x-amz-target` puts before the operation. */
  readonly targetPrefix: string;
  readonly contentType: 'application/x-amz-json-1.0' | 'application/x-amz-json-1.1';
}

/** A service's refusal: `code` is its exception, e.g. `ResourceNotFoundException`. */
export class AwsRefusal extends Error {
  readonly code: string;
  constructor(operation: string, status: number, body: string) {
    super(`${operation} was answered ${status}: ${body.slice(0, 300)}`);
    this.name = 'AwsRefusal';
    this.code = /"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"/.exec(body)?.[1] ?? '';
  }
}

const CALL_BOUND_MS = 3_000;

/** One call of an AWS JSON service. Rejects with `AwsRefusal` when the service refuses, else with the network's error. */
export async function signedCall(
  { service, region, endpoint, targetPrefix, contentType }: AwsService,
  operation: string,
  input: object,
  credentials: Credentials,
): Promise<void> {
  const body = JSON.stringify(input);
  const call = {
    host: new URL(endpoint).host,
    service,
    region,
    body,
    headers: { 'content-type': contentType, 'x-amz-target': `${targetPrefix}.${operation}` },
  };
  const headers = signedHeaders(call, credentials, new Date());
  const answer = await httpCall(`${endpoint}/`, { method: 'POST', headers, body, boundMs: CALL_BOUND_MS });
  if (answer.status !== 200) throw new AwsRefusal(operation, answer.status, answer.body);
}
