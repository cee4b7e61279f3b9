import { type HttpPeer, httpExchange, type WholeAnswer, wholeExchange } from './httpExchange.ts';
import { LineReader } from './lineReader.ts';

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
/** A list of a thousand containers is 2 MB. */
const MAX_ANSWER_BYTES = 16_000_000;

/**
 * The few calls the agent makes, over the engine's unix socket. A client library would cost more memory than all else
 * the agent keeps.
 */
export class DockerApi {
  readonly #engine: HttpPeer;

  /** `host` as in DOCKER_HOST: `unix:///var/run/docker.sock`. */
  constructor(host: string) {
    if (!host.startsWith('unix://')) throw new Error(`DOCKER_HOST must be a unix socket, not ${host}`);
    this.#engine = { socketPath: host.slice('unix://'.length) };
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

  /**
   * Tells of events of containers with the labels until the engine hangs up, or rejects; `opened` comes first. Aborting
   * `signal` rejects with its reason.
   */
  async follow(
    labels: readonly string[],
    signal: AbortSignal,
    { opened, event }: { opened(): void; event(event: DockerEvent): void },
  ): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], label: labels }));
    const lines = new LineReader((line) => event(JSON.parse(line) as DockerEvent));
    const receiver = {
      head: (status: number): void => {
        if (status !== 200) throw new Error(`Docker answered ${status} to /events`);
        opened();
      },
      body: (bytes: Buffer): void => lines.push(bytes),
    };
    await httpExchange(this.#engine, request('GET', `/events?filters=${filters}`), receiver, { signal });
  }

  #get(path: string): Promise<WholeAnswer> {
    return this.#call('GET', path);
  }

  #call(method: string, path: string, boundMs = CALL_BOUND_MS): Promise<WholeAnswer> {
    const bounds = { boundMs, maxBytes: MAX_ANSWER_BYTES };
    return wholeExchange(this.#engine, request(method, path), bounds);
  }
}

/** The engine asks for a host and takes any. */
const request = (method: string, path: string) => ({ method, path, headers: { host: 'localhost' } });

function expectOk(status: number, body: string): unknown {
  if (status < 200 || status > 299)
    throw new Error(`Docker answered ${status}: ${body.trim().slice(0, 500)}`);
  return body === '' ? undefined : JSON.parse(body);
}
