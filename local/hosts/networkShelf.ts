import type Docker from 'dockerode';
import type { ContainerSpec, TaskLaunch } from './backend.ts';
import { engineError } from './containerState.ts';
import { LABELS } from './labels.ts';
import type { Semaphore } from './semaphore.ts';

export interface NetworkShelfParts {
  readonly docker: Docker;
  readonly owner: string;
  readonly instanceId: string;
  readonly cgroupParent: string;
  readonly bridgeNetwork: string;
  /** An image with `sleep`, for the process that holds a namespace open. */
  readonly image: string;
  /** Making one is a container start like any other, and waits its turn. */
  readonly starts: Semaphore;
  log(line: string): void;
}

/** Idle namespaces kept; what comes back beyond is removed. */
const MAX_IDLE = 8;
const PREFIX = 'container:';

/**
 * Network namespaces made ahead of need. Making one is more than half of a container's start (measured: 185 ms to start
 * on the bridge, 74 ms to join a namespace that is there), so that each instance keeps some, held open by a sleeping
 * process as awsvpc's pause container does, and lends one to one container at a time. It comes back when the container is
 * removed: with its last process gone nothing of it is left in the namespace, and a container without NET_ADMIN could
 * not have changed it.
 */
export class NetworkShelf {
  readonly #parts: NetworkShelfParts;
  readonly #idle: string[] = [];
  readonly #all = new Set<string>();
  #making: Promise<void> | undefined;
  #closed = false;

  constructor(parts: NetworkShelfParts) {
    this.#parts = parts;
  }

  /** A network mode for a container of a `bridge` task: a namespace of the shelf, or the bridge itself. */
  take(launch: TaskLaunch, spec: ContainerSpec): string {
    const { bridgeNetwork } = this.#parts;
    // Published ports belong to the container whose namespace it is.
    if (launch.networkMode !== 'bridge' || spec.portMappings.length > 0) return bridgeNetwork;
    const holder = this.#idle.pop();
    if (holder !== undefined) return `${PREFIX}${holder}`;
    void this.stock(1);
    return bridgeNetwork;
  }

  /** The container is gone; its network may serve another. */
  giveBack(network: string): void {
    const holder = holderOf(network);
    if (holder === undefined || !this.#all.has(holder) || this.#closed) return;
    if (this.#idle.length < MAX_IDLE) this.#idle.push(holder);
    else void this.#remove(holder);
  }

  /** The network turned out not to work, e.g. because somebody killed its holder. */
  discard(network: string): void {
    const holder = holderOf(network);
    if (holder !== undefined) void this.#remove(holder);
  }

  /** After a restart: a holder that a container still uses. */
  adopt(holder: string): void {
    this.#all.add(holder);
  }

  /** Makes namespaces until `count` are idle. One at a time, so that the tasks themselves come first. */
  stock(count: number): Promise<void> {
    this.#making ??= this.#make(Math.min(count, MAX_IDLE)).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(count: number): Promise<void> {
    while (this.#idle.length < count && !this.#closed) {
      try {
        const holder = await this.#parts.starts.with(() => this.#hold());
        this.#all.add(holder);
        if (this.#closed) await this.#remove(holder);
        else this.#idle.push(holder);
      } catch (error) {
        // Nothing is lost without: containers start on the bridge, only later.
        this.#parts.log(`making a network namespace ahead: ${engineError(error).message}`);
        return;
      }
    }
  }

  async #hold(): Promise<string> {
    const { docker, image, owner, instanceId, cgroupParent, bridgeNetwork } = this.#parts;
    const container = await docker.createContainer({
      Image: image,
      Cmd: ['sleep', '2147483647'],
      Labels: { [LABELS.owner]: owner, [LABELS.instance]: instanceId, [LABELS.networkHolder]: 'true' },
      HostConfig: {
        CgroupParent: cgroupParent,
        NetworkMode: bridgeNetwork,
        LogConfig: { Type: 'none', Config: {} },
      },
    });
    await container.start();
    return container.id;
  }

  async #remove(holder: string): Promise<void> {
    this.#all.delete(holder);
    const at = this.#idle.indexOf(holder);
    if (at >= 0) this.#idle.splice(at, 1);
    try {
      await this.#parts.docker.getContainer(holder).remove({ force: true });
    } catch (error) {
      const { statusCode, message } = engineError(error);
      if (statusCode !== 404 && statusCode !== 409)
        this.#parts.log(`removing a network namespace: ${message}`);
    }
  }

  /** Removes every namespace; the containers that used them are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#making;
    await Promise.all([...this.#all].map((holder) => this.#remove(holder)));
  }
}

/** The container whose namespace a network mode names, if it names one. */
export const holderOf = (network: string | undefined): string | undefined =>
  network?.startsWith(PREFIX) ? network.slice(PREFIX.length) : undefined;
