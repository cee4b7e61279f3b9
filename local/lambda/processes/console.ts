import { format } from 'node:util';

const LEVELS = {
  trace: 'TRACE',
  debug: 'DEBUG',
  log: 'INFO',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
} as const;
type Method = keyof typeof LEVELS;

/** Where the worker keeps the id that log lines carry. */
export interface CurrentRequest {
  requestId: string | undefined;
}

function asJson(level: string, requestId: string | undefined, values: readonly unknown[]): string {
  const [first] = values;
  const only = values.length === 1 ? first : undefined;
  const message =
    only !== null && typeof only === 'object' && !(only instanceof Error) ? only : format(...values);
  return JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message });
}

function asText(level: string, requestId: string | undefined, values: readonly unknown[]): string {
  const text = format(...values).replaceAll('\n', '\r');
  return `${new Date().toISOString()}\t${requestId ?? 'undefined'}\t${level}\t${text}`;
}

/**
 * Makes `console` write what the Lambda runtime writes: time, request id and level before the message. Returns the
 * runtime's own way to write an error, out of the function's reach.
 */
export function patchConsole(
  current: CurrentRequest,
  logFormat: string | undefined,
): (...values: unknown[]) => void {
  const render = logFormat === 'JSON' ? asJson : asText;
  const write = (level: string, values: readonly unknown[]): void => {
    process.stdout.write(`${render(level, current.requestId, values)}\n`);
  };
  for (const method of Object.keys(LEVELS) as Method[]) {
    console[method] = (...values: unknown[]) => write(LEVELS[method], values);
  }
  return (...values) => write('ERROR', values);
}
