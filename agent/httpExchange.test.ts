import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { DockerApi } from './dockerApi.ts';
import { httpCall } from './httpCall.ts';

/** Of this test alone, for `localhost`: the first is trusted here, the second by nobody. */
const [TRUSTED, STRANGE] = [
  {
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTr/lJQy4lbAwTchi
k7t4AdRHpM3PyB85ZTwXsXb44RuhRANCAASlV630PhmWKtkW4yndIKROlwQy3Glf
tG28A6pDj2Pt8vElRnv3WhhJ8wNtXJznWGz6Rll3jwzcHwALa6DPIkLw
-----END PRIVATE KEY-----
`,
    cert: `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUAS7xoNLS63UXfhjOhMR41KGg94owCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE2MzU1NVoYDzIxMjYxMDMx
MTYzNTU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASlV630PhmWKtkW4yndIKROlwQy3GlftG28A6pDj2Pt8vElRnv3WhhJ
8wNtXJznWGz6Rll3jwzcHwALa6DPIkLwo2kwZzAdBgNVHQ4EFgQUEwgVvS1Gb9Lz
deY76hLIzlL3XNYwHwYDVR0jBBgwFoAUEwgVvS1Gb9LzdeY76hLIzlL3XNYwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgA6mfeQ9dhIrDi9z28SFD0XZunOj5fojZdzfG4OwlMw4CIQDR7mZH56uR
aeN++/ZR+CWPR6g+DGTTxRkmcJTCfquwhg==
-----END CERTIFICATE-----
`,
  },
  {
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkxPsjUoOuzcbDH7o
pNrsa6q9HEnc6+0f9Mp8tE9bawGhRANCAAQa8vVxX6kSA9XGN/yNtzk8c/9j1ZOm
RioQtArz574jUiedJ6kxSLv4YJym2MM1w33ih3rtXUyIIw6y4A2eBqZn
-----END PRIVATE KEY-----
`,
    cert: `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUBZFlAa4IFzgNcyrHA7svX9hy0VswCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDE2MzU1NVoYDzIxMjYxMDMx
MTYzNTU1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQa8vVxX6kSA9XGN/yNtzk8c/9j1ZOmRioQtArz574jUiedJ6kxSLv4
YJym2MM1w33ih3rtXUyIIw6y4A2eBqZno2kwZzAdBgNVHQ4EFgQUsYsUbxWulx4u
Bro6ypl+0JDu57gwHwYDVR0jBBgwFoAUsYsUbxWulx4uBro6ypl+0JDu57gwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIhAOPm55oglD+SCMVhz/0KdSfAhIPFf+uj6NavpmV3n6HAAiBZLorZ4mJ+
yc8QxpBkW0XwQvvppvok2JKtecXQgpU9yQ==
-----END CERTIFICATE-----
`,
  },
] as const;
// Before the first call, which makes what all calls use.
setDefaultCACertificates([...getCACertificates(), TRUSTED.cert]);

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

async function port(server: Server, host: string): Promise<number> {
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((listening) => server.listen(0, host, listening));
  return (server.address() as AddressInfo).port;
}

/** Tells what it was asked. */
const echo: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    response.statusCode = 418;
    // Two writes: an answer in chunks.
    response.write(JSON.stringify({ method, url, headers, body }));
    response.end('\n');
  });
};

test('a call says what it was given, and its answer comes back whole', async () => {
  const host = `127.0.0.1:${await port(createServer(echo), '127.0.0.1')}`;
  const body = 'größer '.repeat(20_000);
  const call = { method: 'POST', headers: { 'x-a': 'b c' }, body, boundMs: 5_000 };
  const answer = await httpCall(`http://${host}/a/b?c=d%20e`, call);
  expect(answer.status).toBe(418);
  expect(JSON.parse(answer.body)).toEqual({
    method: 'POST',
    url: '/a/b?c=d%20e',
    headers: { host, connection: 'close', 'x-a': 'b c', 'content-length': String(Buffer.byteLength(body)) },
    body,
  });
  expect(JSON.parse((await httpCall(`http://${host}/`, { boundMs: 5_000 })).body)).toMatchObject({
    method: 'GET',
    headers: { host, connection: 'close' },
    body: '',
  });
});

test('TLS is spoken with who has a trusted certificate of the name, and nobody else', async () => {
  const trusted = await port(createSecureServer(TRUSTED, echo), 'localhost');
  const strange = await port(createSecureServer(STRANGE, echo), 'localhost');
  const elsewhere = await port(createSecureServer(TRUSTED, echo), '127.0.0.1');
  const bounds = { boundMs: 5_000 };
  const { body } = await httpCall(`https://localhost:${trusted}/x`, { ...bounds, method: 'PUT', body: 'y' });
  expect(JSON.parse(body)).toMatchObject({ method: 'PUT', url: '/x', body: 'y' });
  const code = (name: string) => expect.objectContaining({ code: name });
  await expect(httpCall(`https://localhost:${strange}/`, bounds)).rejects.toEqual(
    code('DEPTH_ZERO_SELF_SIGNED_CERT'),
  );
  await expect(httpCall(`https://127.0.0.1:${elsewhere}/`, bounds)).rejects.toEqual(
    code('ERR_TLS_CERT_ALTNAME_INVALID'),
  );
});

test('a call ends within its bounds', async () => {
  const silent = await port(
    createServer(() => {}),
    '127.0.0.1',
  );
  await expect(httpCall(`http://127.0.0.1:${silent}/`, { boundMs: 50 })).rejects.toThrow(/within 50 ms/);
  const endless = await port(
    createServer((_, response) => response.end('x'.repeat(1_000_001))),
    '127.0.0.1',
  );
  await expect(httpCall(`http://127.0.0.1:${endless}/`, { boundMs: 5_000 })).rejects.toThrow(/more than/);
});

test('a peer that hangs up or speaks something else is an error', async () => {
  for (const [words, problem] of [
    ['', /ended before/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell', /ended before/],
    ['220 mail.example ESMTP\r\n\r\n', /malformed/],
  ] as const) {
    const server = createPlainServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', () => socket.end(words));
    });
    cleanups.push(() => server.close());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await expect(httpCall(`http://127.0.0.1:${port}/`, { boundMs: 5_000 })).rejects.toThrow(problem);
  }
  const nobody = await port(createServer(echo), '127.0.0.1');
  for (const clean of cleanups.splice(0)) clean();
  await expect(httpCall(`http://127.0.0.1:${nobody}/`, { boundMs: 5_000 })).rejects.toThrow(/ECONNREFUSED/);
});

test('nothing that is put into a header makes another one', async () => {
  const call = { headers: { 'x-token': 'a\r\nx-admin: yes' }, boundMs: 5_000 };
  await expect(httpCall('http://127.0.0.1:9/', call)).rejects.toThrow(/not a request/);
});

async function engine(listener: RequestListener): Promise<DockerApi> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-engine-'));
  const server = createServer(listener);
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true });
  });
  const socketPath = join(directory, 'docker.sock');
  await new Promise<void>((listening) => server.listen(socketPath, listening));
  return new DockerApi(`unix://${socketPath}`);
}

test('events are told one by one until the engine hangs up', async () => {
  const event = (id: string) => ({ Action: 'start', Actor: { ID: id }, timeNano: 1 });
  const docker = await engine((_, response) => {
    response.flushHeaders();
    const text = ['a', 'ü', 'c'].map((id) => `${JSON.stringify(event(id))}\n`).join('');
    // In two pieces that part a character.
    const bytes = Buffer.from(text);
    const middle = bytes.indexOf('ü') + 1;
    response.write(bytes.subarray(0, middle), () => response.end(bytes.subarray(middle)));
  });
  const seen: unknown[] = [];
  await docker.follow(['l'], new AbortController().signal, {
    opened: () => seen.push('opened'),
    event: (each) => seen.push(each),
  });
  expect(seen).toEqual(['opened', event('a'), event('ü'), event('c')]);
});

test('following ends when it is aborted, and fails when the engine refuses', async () => {
  const closing = new AbortController();
  const quiet = await engine((_, response) => response.flushHeaders());
  const following = quiet.follow([], closing.signal, { opened: () => closing.abort(), event: () => {} });
  await expect(following).rejects.toThrow(/aborted/);
  const late = quiet.follow([], closing.signal, { opened: () => {}, event: () => {} });
  await expect(late).rejects.toThrow(/aborted/);
  const refusing = await engine((_, response) => {
    response.statusCode = 500;
    response.end();
  });
  const refused = refusing.follow([], new AbortController().signal, { opened: () => {}, event: () => {} });
  await expect(refused).rejects.toThrow(/answered 500/);
});

test('a container that is gone is no error, an engine that fails is', async () => {
  const docker = await engine((request, response) => {
    response.statusCode = request.url?.includes('gone') === true ? 404 : request.method === 'GET' ? 200 : 500;
    response.end('{"Id":"c"}');
  });
  expect(await docker.inspect('gone')).toBeUndefined();
  expect(await docker.inspect('there')).toEqual({ Id: 'c' });
  await docker.kill('gone', 'SIGTERM');
  await expect(docker.kill('there', 'SIGTERM')).rejects.toThrow(/answered 500/);
});
