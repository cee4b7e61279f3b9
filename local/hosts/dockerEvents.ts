import { addAbortSignal, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { LABELS } from './labels.ts';

/** One thing that happened to one of our containers. */
export interface ContainerEvent {
  readonly action: 'start' | 'die' | 'oom' | 'healthy' | 'destroy';
  readonly containerId: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch ms, the engine's clock. */
  readonly atMs: number;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 5_000;
const ACTIONS: Readonly<Record<string, ContainerEvent['action']>> = {
  start: 'start',
  die: 'die',
  oom: 'oom',
  destroy: 'destroy',
  'health_status: healthy': 'healthy',
};

interface RawEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

export interface EventHandler {
  event(event: ContainerEvent): void;
  /** The stream (re)opened: what happened before is unknown, and is to be read once. */
  connected(): void;
  disconnected(reason: string): void;
}

/** The one event stream of all containers of an owner. It reconnects until `signal` aborts. */
export async function followContainers(
  docker: Docker,
  owner: string,
  handler: EventHandler,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      await stream(docker, owner, handler, signal, () => {
        retryMs = FIRST_RETRY_MS;
      });
      handler.disconnected('the stream ended');
    } catch (error) {
      if (!signal.aborted) handler.disconnected((error as Error).message);
    }
    if (signal.aborted) return;
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }
}

async function stream(
  docker: Docker,
  owner: string,
  handler: EventHandler,
  signal: AbortSignal,
  opened: () => void,
): Promise<void> {
  const filters = JSON.stringify({ type: ['container'], label: [`${LABELS.owner}=${owner}`] });
  const events = (await docker.getEvents({ filters })) as Readable;
  addAbortSignal(signal, events);
  opened();
  handler.connected();
  let rest = '';
  events.setEncoding('utf8');
  for await (const chunk of events) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = line === '' ? undefined : parseEvent(JSON.parse(line) as RawEvent);
      if (event !== undefined) handler.event(event);
    }
  }
}

function parseEvent(raw: RawEvent): ContainerEvent | undefined {
  const action = ACTIONS[raw.Action];
  if (action === undefined) return undefined;
  return {
    action,
    containerId: raw.Actor.ID,
    labels: raw.Actor.Attributes,
    atMs: Math.floor(raw.timeNano / 1e6),
  };
}
