/** The body a caller gets when a function fails, as the service writes it. */
export interface FailureBody {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** The function ran longer than its timeout and its environment was ended. */
export const timedOut = (requestId: string, timeoutMs: number): FailureBody => ({
  errorType: 'Sandbox.Timedout',
  errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`,
});

/** Signal numbers never reach a caller: the service names what the signal did. */
const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGKILL: 'killed',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGINT: 'interrupt',
};

/** The process went away in the middle: `process.exit`, a crash, or a kill from outside. */
export function exited(requestId: string, code: number | null, signal: string | null): FailureBody {
  const how = signal ? `signal: ${SIGNAL_WORDS[signal] ?? signal.toLowerCase()}` : `exit status ${code ?? 0}`;
  return {
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
  };
}

/** Synchronous answers may hold this many bytes, a little more than the 6 MB of a request. */
export const MAX_RESPONSE_BYTES = 6_291_556;

export const responseTooLarge: FailureBody = {
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
};

/** What a handler threw, in the shape the Node.js runtime reports. */
export function thrown(error: unknown): FailureBody {
  if (error instanceof Error) {
    return {
      errorType: error.name || 'Error',
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n'),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}
