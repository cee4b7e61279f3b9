import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';

/** Structured values of one line. An `Error` under the key `error` is printed with its stack and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What functions and the stack need of a logger. One line is one JSON object on stdout. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** Adds these fields to every line until the invocation ends. */
  with(fields: LogFields): void;
  /** Starts an invocation: request id, function name and cold start go on every line; the last one's fields are dropped. */
  begin(context: Context): void;
}

export interface LogOptions {
  readonly service: string;
  readonly level: LogLevel;
}

export type LogLevel = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';

export function createLog({ service, level }: LogOptions): Log {
  const logger = new Logger({ serviceName: service, logLevel: level });
  return {
    debug: (message, fields) => logger.debug(message, fields ?? {}),
    info: (message, fields) => logger.info(message, fields ?? {}),
    warn: (message, fields) => logger.warn(message, fields ?? {}),
    error: (message, fields) => logger.error(message, fields ?? {}),
    with: (fields) => logger.appendKeys(fields),
    begin: (context) => {
      logger.resetKeys();
      logger.addContext(context);
    },
  };
}
