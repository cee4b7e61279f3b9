import { createServer, type ServerResponse } from 'node:http';
import type { ContainerInspection } from '../dockerApi.ts';

/** Docker Engine as far as the agent asks it, for kernels on which no engine is installed. */
export class StubEngine {
  readonly #containers = new Map<string, ContainerInspection>();
  readonly #listeners = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => this.#answer(request.url ?? '', response));

  listen(socketPath: string): Promise<void> {
    return new Promise((listening) => this.#server.listen(socketPath, listening));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Whether an agent follows the events. */
  get followed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Puts the container as it is now, and tells those who follow. */
  announce(action: 'create' | 'start' | 'die', container: ContainerInspection): void {
    this.#containers.set(container.Id, container);
    const event = { Action: action, Actor: { ID: container.Id }, timeNano: Date.now() * 1e6 };
    for (const listener of this.#listeners) listener.write(`${JSON.stringify(event)}\n`);
  }

  remove(id: string): void {
    this.#containers.delete(id);
  }

  #answer(url: string, response: ServerResponse): void {
    const json = (value: unknown): void => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    };
    const [path = ''] = url.split('?');
    const id = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (path === '/events') {
      this.#listeners.add(response);
      response.once('close', () => this.#listeners.delete(response));
      response.flushHeaders();
    } else if (path === '/containers/json') {
      json([...this.#containers.keys()].map((Id) => ({ Id })));
    } else if (path === '/info') {
      json({ DockerRootDir: '/nowhere' });
    } else if (id !== undefined && this.#containers.has(id)) {
      json(this.#containers.get(id));
    } else {
      response.statusCode = 404;
      json({ message: `not in the stub: ${url}` });
    }
  }
}
