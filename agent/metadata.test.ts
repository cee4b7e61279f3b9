import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { credentialSource } from './credentials.ts';
import { withIdentity } from './identity.ts';
import { InstanceMetadata } from './imds.ts';
import { interruptionAt } from './interruption.ts';

/** Instance metadata, version 2: no answer without a token. */
const documents = new Map<string, string>();
let tokens = 0;
const server = createServer((request, response) => {
  if (request.method === 'PUT' && request.url === '/latest/api/token') {
    tokens += 1;
    response.end('token-1');
    return;
  }
  const document = documents.get((request.url ?? '').replace('/latest/', ''));
  response.statusCode =
    request.headers['x-aws-ec2-metadata-token'] !== 'token-1' ? 401 : document === undefined ? 404 : 200;
  response.end(document);
});
let metadata: InstanceMetadata;

beforeEach(async () => {
  documents.clear();
  tokens = 0;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  metadata = new InstanceMetadata(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(() => new Promise((closed) => server.close(closed)));

test('the instance is learnt from its identity document, what is set stays', async () => {
  const identity = { instanceId: 'i-1', accountId: '123456789012', region: 'eu-west-1' };
  documents.set('dynamic/instance-identity/document', JSON.stringify(identity));
  documents.set('meta-data/services/partition', 'aws-cn');
  expect(await withIdentity({ BERTH_TABLE: 't', AWS_REGION: 'us-west-2' }, metadata)).toEqual({
    BERTH_TABLE: 't',
    AWS_REGION: 'us-west-2',
    BERTH_INSTANCE_ID: 'i-1',
    BERTH_INSTANCE_ARN: 'arn:aws-cn:ec2:eu-west-1:123456789012:instance/i-1',
  });
  expect(tokens).toBe(1);
});

test('an interruption is told when EC2 has said so', async () => {
  expect(await interruptionAt(metadata)).toBeUndefined();
  documents.set('meta-data/spot/instance-action', '{"action":"terminate","time":"2026-11-24T12:00:00Z"}');
  expect(await interruptionAt(metadata)).toBe(Date.UTC(2026, 10, 24, 12));
});

test('credentials of the role are kept until shortly before they expire', async () => {
  const put = (key: string, inMs: number): void => {
    const Expiration = new Date(Date.now() + inMs).toISOString();
    const credentials = { AccessKeyId: key, SecretAccessKey: 's', Token: 't', Expiration };
    documents.set('meta-data/iam/security-credentials/role', JSON.stringify(credentials));
  };
  documents.set('meta-data/iam/security-credentials/', 'role\n');
  const source = credentialSource({}, metadata);
  put('first', 3_600_000);
  expect((await source()).accessKeyId).toBe('first');
  put('second', 60_000);
  expect((await source()).accessKeyId).toBe('first');
  const short = credentialSource({}, metadata);
  expect((await short()).accessKeyId).toBe('second');
  put('third', 3_600_000);
  expect((await short()).accessKeyId).toBe('third');
});

test('credentials of the environment come first', async () => {
  const source = credentialSource({ AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }, undefined);
  expect(await source()).toEqual({ accessKeyId: 'a', secretAccessKey: 'b' });
  await expect(credentialSource({}, undefined)()).rejects.toThrow(/AWS_ACCESS_KEY_ID/);
});
