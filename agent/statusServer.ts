import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';

const SOCKET = 'status.sock';
const CALL_BOUND_MS = 2_000;

/**
 * Answers each connection with one JSON document. The socket lies in the state directory, which only root may enter.
 * Both sides go there first: a socket's path is bounded, a directory's is not.
 */
export async function serveStatus(stateDirectory: string, status: () => unknown): Promise<{ close(): void }> {
  process.chdir(stateDirectory);
  // The host lock is ours, so a socket that is there belongs to nobody alive.
  rmSync(SOCKET, { force: true });
  const server: Server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`${JSON.stringify(status())}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(SOCKET, resolve);
  });
  server.unref();
  return { close: () => server.close() };
}

/** Asks the agent of a state directory. Rejects when none answers. */
export function askStatus(stateDirectory: string): Promise<unknown> {
  process.chdir(stateDirectory);
  return new Promise((resolve, reject) => {
    const socket = createConnection(SOCKET);
    let body = '';
    socket.setTimeout(CALL_BOUND_MS, () => socket.destroy(new Error('the agent does not answer')));
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      body += text;
    });
    socket.once('error', reject);
    socket.once('close', () => (body === '' ? undefined : resolve(JSON.parse(body))));
  });
}
