import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/**
 * What an agent on EC2 calls: its reports and metrics are taken over TLS, as by DynamoDB and CloudWatch, and the metadata of
 * its instance tell of no interruption. Both are a part of what an agent costs.
 */
export interface ReportSink {
  readonly endpoint: string;
  /** What makes an agent trust it, and ask for metadata. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reports and metrics so far. */
  readonly calls: number;
  close(): void;
}

const CERTIFICATE = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ');

/** Starts it with a certificate of its own in `directory`. Throws when `openssl` is not installed. */
export async function startReportSink(directory: string): Promise<ReportSink> {
  const [key, cert] = [join(directory, 'sink.key'), join(directory, 'sink.crt')];
  execFileSync('openssl', [...CERTIFICATE, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  let calls = 0;
  const server = createSecureServer(
    { key: readFileSync(key), cert: readFileSync(cert) },
    (request, response) => {
      calls += 1;
      request.resume().once('end', () => response.end('{}'));
    },
  );
  const metadata = createServer((request, response) => {
    response.statusCode = request.method === 'PUT' ? 200 : 404;
    response.end(request.method === 'PUT' ? 'token' : '');
  });
  return {
    endpoint: `https://localhost:${await listen(server)}`,
    environment: {
      NODE_EXTRA_CA_CERTS: cert,
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://localhost:${await listen(metadata)}`,
    },
    get calls() {
      return calls;
    },
    close: () => {
      for (const each of [server, metadata]) {
        each.close();
        each.closeAllConnections();
      }
    },
  };
}

async function listen(server: Pick<Server, 'listen' | 'address'>): Promise<number> {
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  return (server.address() as AddressInfo).port;
}
