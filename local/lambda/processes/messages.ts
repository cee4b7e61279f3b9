import type { FailureBody } from '../failures.ts';

/** Engine to worker process, over Node's IPC channel. */
export interface InvokeMessage {
  readonly kind: 'invoke';
  readonly requestId: string;
  readonly functionArn: string;
  readonly payload: string;
  readonly traceId: string;
  /** Epoch ms at which the engine ends the process. */
  readonly deadlineMs: number;
  readonly clientContext?: string;
}

/** Worker process to engine. */
export type WorkerMessage =
  | { readonly kind: 'ready'; readonly initMs: number }
  | { readonly kind: 'init-failed'; readonly error: FailureBody }
  /** The handler is about to be called: from here on the invocation must not be given to another worker. */
  | { readonly kind: 'accepted'; readonly requestId: string }
  | {
      readonly kind: 'result';
      readonly requestId: string;
      readonly payload?: string;
      readonly error?: FailureBody;
      readonly rssBytes: number;
    };

/**
 * Written by the worker to stdout and stderr when an invocation ends, so that the engine knows it has read all of the
 * invocation's output: the pipes and the IPC channel are not ordered among each other.
 */
export const endMarker = (requestId: string): string => `${MARKER_START}${requestId}`;

/** The id in a line's end marker and what comes before it, or undefined when the line has none. */
export function splitAtMarker(
  line: string,
): { readonly before: string; readonly requestId: string } | undefined {
  const at = line.indexOf(MARKER_START);
  if (at === -1) return undefined;
  return { before: line.slice(0, at), requestId: line.slice(at + MARKER_START.length) };
}

/** No text a function writes on purpose begins like this. */
const MARKER_START = '\u0000\u0001end of invocation ';
