import { createConnection, createServer, type Server } from 'node:net';

/** Held while an agent runs for the host. */
export interface HostLock {
  /** From now on, who asks is told that new tasks get their limits. */
  ready(): void;
  release(): void;
}

const name = (instanceId: string): string => `\0berth-agent/${instanceId}`;
const READY = 'ready\n';

/**
 * Makes sure that one agent runs per host: an abstract unix socket is held by one process and freed by the kernel
 * however that process ends. Throws when another agent holds it.
 */
export async function lockHost(instanceId: string): Promise<HostLock> {
  let answer = 'starting\n';
  const server: Server = createServer((socket) => {
    // An asker that hangs up first is no concern of the agent.
    socket.on('error', () => socket.destroy());
    socket.end(answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`An agent already runs for ${instanceId}`) : error),
    );
    server.listen(name(instanceId), resolve);
  });
  server.unref();
  return {
    ready: () => {
      answer = READY;
    },
    release: () => server.close(),
  };
}

/** Whether an agent runs for the host and looks after new tasks. */
export function agentIsReady(instanceId: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(name(instanceId));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(answer === READY));
  });
}
