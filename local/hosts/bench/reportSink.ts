import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Takes agents' reports and metrics over TLS, as DynamoDB and CloudWatch do: TLS is a part of what an agent costs. */
export interface ReportSink {
  readonly endpoint: string;
  /** What makes an agent trust it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Calls so far. */
  readonly calls: number;
  close(): void;
}

const CERTIFICATE = 'req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost'.split(' ');

/** Starts it with a certificate of its own in `directory`. Throws when `openssl` is not installed. */
export async function startReportSink(directory: string): Promise<ReportSink> {
  const [key, cert] = [join(directory, 'sink.key'), join(directory, 'sink.crt')];
  execFileSync('openssl', [...CERTIFICATE, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  let calls = 0;
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    calls += 1;
    request.resume().once('end', () => response.end('{}'));
  });
  await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
  return {
    endpoint: `https://localhost:${(server.address() as AddressInfo).port}`,
    environment: { NODE_EXTRA_CA_CERTS: cert },
    get calls() {
      return calls;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
