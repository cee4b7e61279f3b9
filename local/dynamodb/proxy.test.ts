import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../engine/faults.ts';
import { ServiceError } from '../engine/service.ts';
import type { Gate } from '../wire/gate.ts';
import type { Passthrough } from '../wire/passthrough.ts';
import { startWire, type Wire } from '../wire/server.ts';
import { faultyProxy } from './faultyProxy.ts';
import { guarded } from './guarded.ts';
import { type DatabaseGate, databaseProxy } from './proxy.ts';

/** A database that counts: every answer differs from the one before. */
let database: Server;
let databaseUrl: string;
let requests: { headers: IncomingHttpHeaders; body: string }[];
let writes: number;
const TABLE = '{"TableArn":"arn:aws:dynamodb:dynoxide:000000000000:table/t","é":"dynoxide"}';
const PLACE = { region: 'eu-west-1', accountId: '123456789012' };
const opened: { wire: Wire; gate: DatabaseGate }[] = [];

beforeEach(async () => {
  requests = [];
  writes = 0;
  database = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString('latin1') });
    response.writeHead(200, { 'x-amz-crc32': '42', 'content-type': 'application/x-amz-json-1.0' });
    const isTable = String(request.headers['x-amz-target']).endsWith('DescribeTable');
    response.end(isTable ? TABLE : `{"n":${requests.length}}`);
  });
  await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', resolve));
  databaseUrl = `http://127.0.0.1:${(database.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const { wire, gate } of opened.splice(0)) {
    await wire.close();
    gate.close();
  }
  database.close();
  database.closeAllConnections();
});

async function serve(gate: DatabaseGate, dynamodb: Passthrough = gate): Promise<Wire> {
  const wire = await startWire({ port: 0, log: () => {}, services: [], passthroughs: { dynamodb } });
  opened.push({ wire, gate });
  return wire;
}

const countWrite = (): void => {
  writes += 1;
};

/** A wire whose database misbehaves at the named points, once for each fault. */
function serveFaulty(faults: Readonly<Record<string, Fault[]>>): Promise<Wire> {
  return serve(faultyProxy(databaseUrl, PLACE, { at: (point) => faults[point]?.shift() }, countWrite));
}

function call({ url }: Wire, operation: string, body = '{}', key = 'AKID') {
  return fetch(url, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${key}/20260101/us-east-1/dynamodb/aws4_request, Signature=0`,
      'x-amz-target': `DynamoDB_20120810.${operation}`,
    },
    body,
  });
}

describe('without faults', () => {
  test('hands bodies and headers on unchanged, both ways', async () => {
    const wire = await serve(databaseProxy(databaseUrl, PLACE, countWrite));
    const answer = await call(wire, 'GetItem', '{ "odd" :\t"spacing é" }');
    expect(requests[0]?.body).toBe(Buffer.from('{ "odd" :\t"spacing é" }').toString('latin1'));
    expect(requests[0]?.headers['x-amz-target']).toBe('DynamoDB_20120810.GetItem');
    expect(answer.headers.get('x-amz-crc32')).toBe('42');
    expect(await answer.text()).toBe('{"n":1}');
  });

  test('tables are in our Region and account, under a checksum that holds', async () => {
    const wire = await serve(databaseProxy(databaseUrl, PLACE, countWrite));
    const answer = await call(wire, 'DescribeTable');
    const body = await answer.text();
    expect(body).toBe('{"TableArn":"arn:aws:dynamodb:eu-west-1:123456789012:table/t","é":"dynoxide"}');
    expect(answer.headers.get('x-amz-crc32')).toBe(String(crc32(body)));
  });

  test('tells of writes and of nothing else', async () => {
    const wire = await serve(databaseProxy(databaseUrl, PLACE, countWrite));
    await call(wire, 'Query');
    expect(writes).toBe(0);
    await call(wire, 'TransactWriteItems');
    expect(writes).toBe(1);
  });

  test('answers an error that clients try again while the database is away', async () => {
    const wire = await serve(databaseProxy('http://127.0.0.1:1', PLACE, countWrite));
    const answer = await call(wire, 'GetItem');
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      __type: 'com.amazonaws.dynamodb.v20120810#InternalServerError',
    });
  });
});

describe('with a gate', () => {
  const asked: unknown[] = [];
  const gate: Gate = {
    governs: (key) => key === 'function.f',
    check: async (_, { operation, input }) => {
      asked.push([operation, input]);
      if (operation !== 'GetItem') throw new ServiceError('AccessDeniedException', 'not allowed');
    },
  };
  const serveGuarded = (): Promise<Wire> => {
    const proxy = databaseProxy(databaseUrl, PLACE, countWrite);
    return serve(proxy, guarded(proxy, gate));
  };

  test('what a role may do is handed on unchanged', async () => {
    const wire = await serveGuarded();
    const answer = await call(wire, 'GetItem', '{ "odd" :\t"spacing é" }', 'function.f');
    expect(asked).toEqual([['GetItem', { odd: 'spacing é' }]]);
    expect(requests[0]?.body).toBe(Buffer.from('{ "odd" :\t"spacing é" }').toString('latin1'));
    expect(await answer.text()).toBe('{"n":1}');
  });

  test('what it may not do never reaches the database', async () => {
    const wire = await serveGuarded();
    const answer = await call(wire, 'PutItem', '{}', 'function.f');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      __type: 'com.amazonaws.dynamodb.v20120810#AccessDeniedException',
      message: 'not allowed',
    });
    const garbled = await call(wire, 'GetItem', '{', 'function.f');
    expect(await garbled.json()).toMatchObject({
      __type: 'com.amazonaws.dynamodb.v20120810#SerializationException',
    });
    expect(requests).toEqual([]);
    expect(writes).toBe(0);
  });

  test('others are not asked', async () => {
    const wire = await serveGuarded();
    expect((await call(wire, 'PutItem')).status).toBe(200);
    expect(writes).toBe(1);
  });
});

describe('with faults', () => {
  test('an error is answered and not carried out', async () => {
    const wire = await serveFaulty({
      'dynamodb.PutItem': [
        { kind: 'error', code: 'ThrottlingException', message: 'too fast', statusCode: 400 },
      ],
    });
    const answer = await call(wire, 'PutItem');
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException',
      message: 'too fast',
    });
    expect(requests).toHaveLength(0);
    expect((await call(wire, 'PutItem')).status).toBe(200);
  });

  test('a lost answer is carried out and the connection breaks', async () => {
    const wire = await serveFaulty({ 'dynamodb.PutItem': [{ kind: 'lost-answer' }] });
    await expect(call(wire, 'PutItem')).rejects.toThrow();
    expect(requests).toHaveLength(1);
    expect(writes).toBe(1);
  });

  test('a dropped request is not carried out and the connection breaks', async () => {
    const wire = await serveFaulty({ 'dynamodb.PutItem': [{ kind: 'drop' }] });
    await expect(call(wire, 'PutItem')).rejects.toThrow();
    expect(requests).toHaveLength(0);
  });

  test('a duplicate is carried out again and the last answer counts', async () => {
    const wire = await serveFaulty({ 'dynamodb.PutItem': [{ kind: 'duplicate', copies: 3 }] });
    expect(await (await call(wire, 'PutItem')).text()).toBe('{"n":3}');
    expect(requests).toHaveLength(3);
  });

  test('a delay holds the request back', async () => {
    const wire = await serveFaulty({ 'dynamodb.PutItem': [{ kind: 'delay', delayMs: 60 }] });
    const start = performance.now();
    await call(wire, 'PutItem');
    expect(performance.now() - start).toBeGreaterThan(55);
  });

  test('a stale read is answered as the same read was answered before', async () => {
    const wire = await serveFaulty({ 'dynamodb.Query.stale': [{ kind: 'drop' }, { kind: 'drop' }] });
    const query = (body: string) => call(wire, 'Query', body).then((answer) => answer.text());
    expect(await query('{"TableName":"a"}')).toBe('{"n":1}');
    expect(await query('{"TableName":"b"}')).toBe('{"n":2}');
    expect(await query('{"TableName":"a"}')).toBe('{"n":1}');
    expect(await query('{"TableName":"a"}')).toBe('{"n":1}');
    expect(await query('{"TableName":"a"}')).toBe('{"n":3}');
  });

  test('a consistent read is never stale', async () => {
    const wire = await serveFaulty({ 'dynamodb.GetItem.stale': [{ kind: 'drop' }] });
    const body = '{"TableName":"a","ConsistentRead": true}';
    expect(await (await call(wire, 'GetItem', body)).text()).toBe('{"n":1}');
    expect(await (await call(wire, 'GetItem', body)).text()).toBe('{"n":2}');
  });
});
