import type { IncomingHttpHeaders } from 'node:http';

/** The signing name a request was signed for: `AWS4-HMAC-SHA256 Credential=AK/20261101/us-east-1/ecs/aws4_request, …`. */
export function signingNameOf(headers: IncomingHttpHeaders, query: URLSearchParams): string | undefined {
  const credential =
    /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? query.get('X-Amz-Credential') ?? '';
  // The access key id stands first and the names are counted from the end, where the format is fixed.
  return credential.split('/').at(-2);
}

/** `AmazonSQS` of an X-Amz-Target such as `AmazonSQS.SendMessage`, or of a CBOR path. */
export function targetOf(headers: IncomingHttpHeaders, path: string): string | undefined {
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return target.slice(0, target.lastIndexOf('.'));
  return /^\/service\/([^/]+)\/operation\//.exec(path)?.[1];
}

/** `sqs` of `sqs.us-east-1.amazonaws.com:4566`. */
export function hostLabelOf(headers: IncomingHttpHeaders): string | undefined {
  return headers.host?.split('.')[0];
}
