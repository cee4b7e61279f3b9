import { type IncomingMessage, request } from 'node:http';

/** What the agent reads of `GET /containers/<id>/json`. */
export interface ContainerInspection {
  readonly Id: string;
  readonly Created: string;
  readonly Config: {
    readonly Env: readonly string[] | null;
    readonly Labels: Readonly<Record<string, string>> | null;
  };
  readonly HostConfig: {
    readonly CgroupParent: string;
    readonly CpuShares: number;
    readonly Memory: number;
    readonly MemoryReservation: number;
  };
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly StartedAt: string };
}

export interface DockerEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string };
  readonly timeNano: number;
}

const CALL_BOUND_MS = 5_000;

/**
 * The few calls the agent makes, over the engine's unix socket. A client library would cost more memory than all else
 * the agent keeps.
 */
export class DockerApi {
  readonly #socketPath: string;

  /** `host` as in DOCKER_HOST: `unix:///var/run/docker.sock`. */
  constructor(host: string) {
    if (!host.startsWith('unix://')) throw new Error(`DOCKER_HOST must be a unix socket, not ${host}`);
    this.#socketPath = host.slice('unix://'.length);
  }

  /** Undefined when the container is gone. */
  async inspect(id: string): Promise<ContainerInspection | undefined> {
    const { status, body } = await this.#get(`/containers/${encodeURIComponent(id)}/json`);
    if (status === 404) return undefined;
    return expectOk(status, body) as ContainerInspection;
  }

  /** Ids of containers, stopped ones too, that carry all the labels (`name` or `name=value`). */
  async list(labels: readonly string[]): Promise<string[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: labels }));
    const { status, body } = await this.#get(`/containers/json?all=1&filters=${filters}`);
    return (expectOk(status, body) as { Id: string }[]).map(({ Id }) => Id);
  }

  /** Where the engine keeps images and containers, which is the disk of container roots. */
  async rootDirectory(): Promise<string> {
    const { status, body } = await this.#get('/info');
    return (expectOk(status, body) as { DockerRootDir: string }).DockerRootDir;
  }

  /** Sends the signal; a container that is gone or stopped is left alone. */
  async kill(id: string, signal: string): Promise<void> {
    const { status, body } = await this.#call(
      'POST',
      `/containers/${encodeURIComponent(id)}/kill?signal=${signal}`,
    );
    if (status !== 404 && status !== 409) expectOk(status, body);
  }

  /** SIGTERM, then SIGKILL after `graceSeconds`. */
  async stop(id: string, graceSeconds: number): Promise<void> {
    const path = `/containers/${encodeURIComponent(id)}/stop?t=${graceSeconds}`;
    const { status, body } = await this.#call('POST', path, (graceSeconds + 10) * 1000);
    if (status !== 404 && status !== 304) expectOk(status, body);
  }

  /** Yields events of containers with the labels until the engine hangs up or `signal` aborts; `opened` comes first. */
  async *events(
    labels: readonly string[],
    signal: AbortSignal,
    opened: () => void,
  ): AsyncGenerator<DockerEvent> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], label: labels }));
    const response = await this.#open('GET', `/events?filters=${filters}`, signal);
    if (response.statusCode !== 200) throw new Error(`Docker answered ${response.statusCode} to /events`);
    opened();
    response.setEncoding('utf8');
    let rest = '';
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield JSON.parse(line) as DockerEvent;
    }
  }

  #get(path: string): Promise<{ status: number; body: string }> {
    return this.#call('GET', path);
  }

  async #call(
    method: string,
    path: string,
    boundMs = CALL_BOUND_MS,
  ): Promise<{ status: number; body: string }> {
    const response = await this.#open(method, path, AbortSignal.timeout(boundMs));
    response.setEncoding('utf8');
    let body = '';
    for await (const chunk of response) body += String(chunk);
    return { status: response.statusCode ?? 0, body };
  }

  #open(method: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socketPath, method, path, signal, agent: false });
      call.once('response', resolve);
      call.once('error', reject);
      call.end();
    });
  }
}

function expectOk(status: number, body: string): unknown {
  if (status < 200 || status > 299)
    throw new Error(`Docker answered ${status}: ${body.trim().slice(0, 500)}`);
  return body === '' ? undefined : JSON.parse(body);
}
