import { createServer, type Server } from 'node:net';

/**
 * Makes sure that one agent runs per host: an abstract unix socket is held by one process and freed by the kernel
 * however that process ends. Throws when another agent holds it.
 */
export async function lockHost(instanceId: string): Promise<{ release(): void }> {
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new Error(`An agent already runs for ${instanceId}`) : error),
    );
    server.listen(`\0berth-agent/${instanceId}`, resolve);
  });
  server.unref();
  return { release: () => server.close() };
}
