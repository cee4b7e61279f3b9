import type { IncomingHttpHeaders } from 'node:http';

/** `AK/20261101/us-east-1/ecs/aws4_request` of `AWS4-HMAC-SHA256 Credential=AK/…, SignedHeaders=…`; empty when unsigned. */
const credentialOf = (headers: IncomingHttpHeaders, query: URLSearchParams): string =>
  /Credential=([^,\s]+)/.exec(headers.authorization ?? '')?.[1] ?? query.get('X-Amz-Credential') ?? '';

/** The signing name a request was signed for. */
export function signingNameOf(headers: IncomingHttpHeaders, query: URLSearchParams): string | undefined {
  // The access key id stands first and the names are counted from the end, where the format is fixed.
  return credentialOf(headers, query).split('/').at(-2);
}

/** Whose key a request is signed with. */
export function accessKeyIdOf(headers: IncomingHttpHeaders, query: URLSearchParams): string | undefined {
  const parts = credentialOf(headers, query).split('/');
  return parts.length < 5 ? undefined : parts.slice(0, -4).join('/');
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
