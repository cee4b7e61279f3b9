import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { bundleOptions } from '../scripts/bundle.ts';
import { lambdaContext } from './support/lambdaContext.ts';

/** One function as Lambda loads it: the real bundle, its wrapped export, its SDK clients over HTTP. */

type Handler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>;

let directory: string;
let server: Server;
let handler: Handler;
const calls: { readonly target: string; readonly authorization: string; readonly body: unknown }[] = [];

function listen(): Promise<string> {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const header = (name: string): string => String(request.headers[name]);
    calls.push({
      target: header('x-amz-target'),
      authorization: header('authorization'),
      body: JSON.parse(body),
    });
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ FailedEntryCount: 0, Entries: [{ EventId: 'e-1' }] }));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-bundle-'));
  const outfile = join(directory, 'index.mjs');
  await build({ ...bundleOptions, entryPoints: ['functions/accept/index.ts'], outfile, logLevel: 'silent' });
  const environment = {
    AWS_ENDPOINT_URL: await listen(),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
    BERTH_TABLE: 'berth',
    BERTH_BUS: 'berth',
    BERTH_WAKE_QUEUE_URL: 'wake.fifo',
    BERTH_LATE_WAKE_QUEUE_URL: 'late',
    BERTH_PROVISION_QUEUE_URL: 'provision.fifo',
    BERTH_LOG_LEVEL: 'ERROR',
    POWERTOOLS_METRICS_DISABLED: 'true',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const bundle = (await import(pathToFileURL(outfile).href)) as { readonly handler: Handler };
  handler = bundle.handler;
});

afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

const sample = (path: string): string => readFileSync(new URL(`../events/${path}`, import.meta.url), 'utf8');

const delivery = (...bodies: string[]): SQSEvent => ({
  Records: bodies.map((body, index) => ({
    messageId: `m-${index}`,
    receiptHandle: 'handle',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: '1795515330000',
      SenderId: 'AIDAEXAMPLE',
      ApproximateFirstReceiveTimestamp: '1795515330001',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:berth-launch',
    awsRegion: 'us-east-1',
  })),
});

describe('the bundle of accept', () => {
  it('answers a refused request on the bus, signed with the environment’s credentials', async () => {
    const event = delivery(sample('demo.shop/task-requested.refused.json'));
    expect(await handler(event, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect(calls).toHaveLength(1);
    expect(calls[0]?.target).toBe('AWSEvents.PutEvents');
    expect(calls[0]?.authorization).toContain('Credential=AKIDEXAMPLE/');
    const [entry] = calls.flatMap(
      ({ body }) => (body as { readonly Entries: Record<string, string>[] }).Entries,
    );
    expect(entry).toMatchObject({ Source: 'berth', DetailType: 'Task Rejected', EventBusName: 'berth' });
    const rejected = JSON.parse(sample('berth/task-rejected.refused.json')) as {
      readonly detail: { problems: unknown };
    };
    expect(JSON.parse(entry?.Detail ?? '{}')).toMatchObject({
      source: 'demo.shop',
      problems: rejected.detail.problems,
    });
  });

  it('acknowledges what it cannot read: it would never come right', async () => {
    const strangers = [
      sample('aws.ec2/ec2-instance-rebalance-recommendation.spot.json'),
      '{"source":"someone","detail-type":"Something"}',
      'null',
    ];
    expect(await handler(delivery(...strangers), lambdaContext())).toEqual({ batchItemFailures: [] });
  });
});
