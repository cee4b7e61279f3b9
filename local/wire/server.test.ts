import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as cloudwatch from '@aws-sdk/client-cloudwatch';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as lambda from '@aws-sdk/client-lambda';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CallContext } from '../engine/service.ts';
import { startWire, type Wire } from './server.ts';

let wire: Wire;
const inputs: unknown[] = [];
const echo = (input: unknown): object => {
  inputs.push(input);
  return {};
};
/** Resolves when a long poll has begun and when its caller has gone. */
const poll = { begun: Promise.withResolvers<void>(), aborted: Promise.withResolvers<void>() };

beforeAll(async () => {
  wire = await startWire({
    port: 0,
    log: () => {},
    maxBodyBytes: 10_000,
    health: () => ({ tables: 1 }),
    routes: { '/_layers/': (_, response) => void response.end('zip bytes') },
    services: [
      { sdk: ecs, service: { signingName: 'ecs', operations: { StopTask: echo, RunTask: echo } } },
      {
        sdk: ec2,
        service: { signingName: 'ec2', operations: { RunInstances: echo, DescribeInstances: echo } },
      },
      { sdk: lambda, service: { signingName: 'lambda', operations: { GetFunction: echo } } },
      {
        sdk: cloudwatch,
        service: {
          signingName: 'monitoring',
          operations: { PutMetricData: echo, ListMetrics: () => ({ Metrics: [{ MetricName: 3 }] }) },
        },
      },
      {
        sdk: sqs,
        service: {
          signingName: 'sqs',
          operations: {
            SendMessage: echo,
            async ReceiveMessage(input: unknown, call: CallContext) {
              inputs.push(input);
              poll.begun.resolve();
              await new Promise((resolve) => call.signal?.addEventListener('abort', resolve));
              poll.aborted.resolve();
              return {};
            },
          },
        },
      },
    ],
  });
});

afterAll(() => wire.close());

const signedFor = (name: string): Record<string, string> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${name}/aws4_request, SignedHeaders=host, Signature=0`,
});

function json(service: string, target: string, body: string, headers: Record<string, string> = {}) {
  return fetch(wire.url, {
    method: 'POST',
    headers: { ...signedFor(service), 'x-amz-target': target, ...headers },
    body,
  });
}

function form(service: string, body: string) {
  return fetch(wire.url, { method: 'POST', headers: signedFor(service), body });
}

test('a missing required member is the service’s own validation error', async () => {
  const answer = await json('ecs', 'AmazonEC2ContainerServiceV20141113.StopTask', '{"cluster":"c"}');
  expect(answer.status).toBe(400);
  expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidParameterException');
  expect(await answer.json()).toEqual({ __type: 'InvalidParameterException', message: 'task: is required' });
});

test('a member of the wrong type is a serialization error that names its place', async () => {
  const body = '{"taskDefinition":"t","overrides":{"containerOverrides":[{"name":"a"},{"cpu":"many"}]}}';
  const answer = await json('ecs', 'AmazonEC2ContainerServiceV20141113.RunTask', body);
  expect(await answer.json()).toEqual({
    __type: 'SerializationException',
    message: 'overrides.containerOverrides[1].cpu: expected a number, got a string',
  });
});

test('a body that is not JSON is a serialization error', async () => {
  const answer = await json('ecs', 'AmazonEC2ContainerServiceV20141113.RunTask', '{"taskDefinition":');
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ __type: 'SerializationException' });
});

test('a form without a required parameter answers MissingParameter in the EC2 error document', async () => {
  const answer = await form('ec2', 'Action=RunInstances&Version=2016-11-15&MaxCount=1');
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain(
    '<Response><Errors><Error><Code>MissingParameter</Code><Message>The request must contain the parameter MinCount</Message></Error></Errors><RequestID>',
  );
});

test('a form value of the wrong type answers InvalidParameterValue', async () => {
  const answer = await form('ec2', 'Action=RunInstances&Version=2016-11-15&MaxCount=few&MinCount=1');
  expect(await answer.text()).toContain(
    '<Code>InvalidParameterValue</Code><Message>MaxCount: expected a number, got &quot;few&quot;</Message>',
  );
});

test('EC2 lists are read by their numbers, gaps and order aside', async () => {
  await form(
    'ec2',
    'Action=DescribeInstances&Version=2016-11-15&Filter.2.Name=b&Filter.2.Value.5=y&Filter.2.Value.1=x&Filter.1.Name=a&InstanceId.10=i-10&InstanceId.9=i-9',
  );
  expect(inputs.at(-1)).toEqual({
    Filters: [{ Name: 'a' }, { Name: 'b', Values: ['x', 'y'] }],
    InstanceIds: ['i-9', 'i-10'],
  });
});

test.each([
  [
    'json',
    () => json('ecs', 'AmazonEC2ContainerServiceV20141113.CreateCluster', '{}'),
    400,
    'UnknownOperationException',
  ],
  [
    'json',
    () => json('ecs', 'AmazonEC2ContainerServiceV20141113.NoSuchThing', '{}'),
    400,
    'UnknownOperationException',
  ],
  ['form', () => form('ec2', 'Action=RebootInstances&Version=2016-11-15'), 400, 'InvalidAction'],
  ['form of a JSON service', () => form('sqs', 'Action=ListQueues&Version=2012-11-05'), 400, 'InvalidAction'],
  [
    'rest',
    () => fetch(`${wire.url}/2015-03-31/functions/`, { headers: signedFor('lambda') }),
    404,
    'UnknownOperationException',
  ],
  [
    'no path',
    () => fetch(`${wire.url}/nowhere`, { headers: signedFor('lambda') }),
    404,
    'UnknownOperationException',
  ],
  ['no service', () => json('s3', 'Nothing.ListBuckets', '{}'), 404, 'UnknownServiceException'],
])('what is not implemented answers with an error: %s', async (_, call, status, code) => {
  const answer = await call();
  expect(answer.status).toBe(status);
  // JSON names the error in a header too, REST-JSON only there, forms only in the body.
  expect(`${answer.headers.get('x-amzn-errortype')} ${await answer.text()}`).toContain(code);
});

test('an unsigned form finds its service by action and version', async () => {
  const body = 'Action=SendMessage&Version=2012-11-05&QueueUrl=q&MessageBody=hello';
  const answer = await fetch(wire.url, { method: 'POST', body });
  expect(answer.status).toBe(200);
  expect(inputs.at(-1)).toEqual({ QueueUrl: 'q', MessageBody: 'hello' });
});

test('an unsigned REST request finds its service by its path', async () => {
  await fetch(`${wire.url}/2015-03-31/functions/submit`);
  expect(inputs.at(-1)).toEqual({ FunctionName: 'submit' });
});

test('an unsigned request to nowhere is told so', async () => {
  const answer = await fetch(`${wire.url}/nowhere`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain('not signed');
});

test('a label keeps its slashes and percent signs', async () => {
  const name = encodeURIComponent('arn:aws:lambda:us-east-1:0:function:a/b%');
  await fetch(`${wire.url}/2015-03-31/functions/${name}?Qualifier=1`, { headers: signedFor('lambda') });
  expect(inputs.at(-1)).toEqual({ FunctionName: 'arn:aws:lambda:us-east-1:0:function:a/b%', Qualifier: '1' });
});

test('an output that its schema does not allow is an internal error, not a wrong answer', async () => {
  const answer = await json('monitoring', 'GraniteServiceVersion20100801.ListMetrics', '{}');
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ __type: 'InternalFailure' });
});

test('a gzipped body is unpacked', async () => {
  const body = gzipSync('{"Namespace":"n","MetricData":[]}');
  const answer = await fetch(wire.url, {
    method: 'POST',
    headers: {
      ...signedFor('monitoring'),
      'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData',
      'content-encoding': 'gzip',
    },
    body,
  });
  expect(answer.status).toBe(200);
  expect(inputs.at(-1)).toEqual({ Namespace: 'n', MetricData: [] });
});

test.each([
  ['as sent', Buffer.alloc(10_001), {}],
  ['unpacked', gzipSync(Buffer.alloc(1_000_000)), { 'content-encoding': 'gzip' }],
])('a body too large %s is refused', async (_, body, headers) => {
  const answer = await fetch(wire.url, {
    method: 'POST',
    headers: { ...signedFor('ecs'), ...headers },
    body,
  });
  expect(answer.status).toBe(413);
  expect(answer.headers.get('x-amzn-errortype')).toBe('RequestEntityTooLargeException');
});

test('a body deeper than any schema is refused, not followed', async () => {
  const deep = `Action=DescribeInstances&Version=2016-11-15&${'a.'.repeat(200)}a=1`;
  const answer = await form('ec2', deep);
  expect(answer.status).toBe(400);
});

test('a long poll ends when its caller hangs up', async () => {
  const { port } = new URL(wire.url);
  const body = '{"QueueUrl":"q"}';
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `POST / HTTP/1.1\r\nhost: sqs.us-east-1.amazonaws.com\r\nx-amz-target: AmazonSQS.ReceiveMessage\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await poll.begun.promise;
  socket.destroy();
  await once(socket, 'close');
  await poll.aborted.promise;
});

test('closing ends open long polls', async () => {
  const begun = Promise.withResolvers<void>();
  const closing = await startWire({
    port: 0,
    log: () => {},
    services: [
      {
        sdk: ecs,
        service: {
          signingName: 'ecs',
          operations: {
            ListTasks() {
              begun.resolve();
              return new Promise(() => {});
            },
          },
        },
      },
    ],
  });
  const answer = fetch(closing.url, {
    method: 'POST',
    headers: { ...signedFor('ecs'), 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.ListTasks' },
    body: '{}',
  });
  const refused = expect(answer).rejects.toThrow();
  await begun.promise;
  await closing.close();
  await refused;
});

test('a port that is taken is an error', async () => {
  const port = Number(new URL(wire.url).port);
  await expect(startWire({ port, log: () => {}, services: [] })).rejects.toThrow('EADDRINUSE');
});

test('health names the services and what the composition adds', async () => {
  const answer = await fetch(`${wire.url}/_berth/health`);
  expect(await answer.json()).toEqual({
    status: 'ok',
    services: ['ec2', 'ecs', 'lambda', 'monitoring', 'sqs'],
    tables: 1,
  });
});

test('a route of its own is served beside the services', async () => {
  const answer = await fetch(`${wire.url}/_layers/agent.zip`);
  expect(await answer.text()).toBe('zip bytes');
});

test('a binding whose service and SDK differ is refused at the start', async () => {
  const services = [{ sdk: ecs, service: { signingName: 'ec2', operations: {} } }];
  await expect(startWire({ port: 0, log: () => {}, services })).rejects.toThrow('bound to the SDK of ecs');
});

test('an operation the SDK does not know is refused at the start', async () => {
  const services = [{ sdk: ecs, service: { signingName: 'ecs', operations: { StartTsk: echo } } }];
  await expect(startWire({ port: 0, log: () => {}, services })).rejects.toThrow('no operation StartTsk');
});
