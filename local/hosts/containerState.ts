import type { ContainerInspectInfo } from 'dockerode';
import type { ContainerChange } from './backend.ts';

/** How the ECS agent words a kill by the kernel's out-of-memory killer. */
export const OUT_OF_MEMORY = 'OutOfMemoryError: Container killed due to memory usage';

const SIGKILL_EXIT = 137;

/** The end of a container as ECS tells it, from `docker inspect`. */
export function ending(
  info: ContainerInspectInfo,
  observed: { readonly oomSeen: boolean; readonly stopAsked: boolean },
): Pick<ContainerChange, 'exitCode' | 'reason' | 'startedAt' | 'finishedAt'> {
  const { ExitCode, OOMKilled, Error: failure } = info.State;
  const outOfMemory =
    ExitCode === SIGKILL_EXIT && (OOMKilled || observed.oomSeen) && (OOMKilled || !observed.stopAsked);
  const reason = outOfMemory
    ? OUT_OF_MEMORY
    : failure === ''
      ? undefined
      : `CannotStartContainerError: ${failure}`;
  const startedAt = engineTime(info.State.StartedAt);
  const finishedAt = engineTime(info.State.FinishedAt);
  return {
    exitCode: ExitCode,
    ...(reason === undefined ? {} : { reason }),
    ...(startedAt === undefined ? {} : { startedAt }),
    // Docker stamps the two by itself, and a short run may end before it has begun.
    ...(finishedAt === undefined ? {} : { finishedAt: Math.max(finishedAt, startedAt ?? finishedAt) }),
  };
}

/** Docker writes year 1 for "never". */
export function engineTime(text: string): number | undefined {
  const at = Date.parse(text);
  return Number.isFinite(at) && at > 0 ? at : undefined;
}

/** The host ports of a running container, one line a port and protocol. */
export function networkBindings(info: ContainerInspectInfo): NonNullable<ContainerChange['networkBindings']> {
  return Object.entries(info.NetworkSettings.Ports ?? {}).flatMap(([key, bound]) => {
    const [port, protocol] = key.split('/');
    // The engine lists a port once more for IPv6; ECS tells the IPv4 one.
    return (bound ?? [])
      .filter(({ HostIp }) => !HostIp.includes(':'))
      .map(({ HostIp, HostPort }) => ({
        containerPort: Number(port),
        hostPort: Number(HostPort),
        protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
        bindIp: HostIp,
      }));
  });
}

/** What the engine answered to a failed call, with its status when it answered at all. */
export function engineError(error: unknown): { readonly statusCode?: number; readonly message: string } {
  const { statusCode, json, message } = error as {
    statusCode?: number;
    json?: { message?: string };
    message?: string;
  };
  const text = json?.message ?? message ?? String(error);
  return statusCode === undefined ? { message: text } : { statusCode, message: text };
}
