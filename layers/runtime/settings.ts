import type { LogLevel } from './logger.ts';
import { SettingsError } from './settingsError.ts';

/** A function's environment, read once. An absent resource is `undefined` until a function that needs it starts. */
export interface Settings {
  /** The `service` of logs and metrics: POWERTOOLS_SERVICE_NAME, else `berth` for all functions. */
  readonly service: string;
  readonly logLevel: LogLevel;
  readonly tableName?: string;
  readonly busName?: string;
  readonly wakeQueueUrl?: string;
  /** Standard queue for wakes with a delay: a FIFO queue refuses one per message. */
  readonly lateWakeQueueUrl?: string;
  readonly provisionQueueUrl?: string;
  /** BERTH_DEAD_LETTERS, as it is: the queues of what was given up, by name. */
  readonly deadLettersJson?: string;
  /** BERTH_CLUSTERS, as it is: see `declaredClusters`. */
  readonly clustersJson?: string;
}

export type ResourceSetting =
  | 'tableName'
  | 'busName'
  | 'wakeQueueUrl'
  | 'lateWakeQueueUrl'
  | 'provisionQueueUrl'
  | 'deadLettersJson';

export type Environment = Readonly<Record<string, string | undefined>>;

const variables: Readonly<Record<ResourceSetting, { readonly name: string; readonly what: string }>> = {
  tableName: { name: 'BERTH_TABLE', what: 'the name of the DynamoDB table' },
  busName: { name: 'BERTH_BUS', what: 'the name of the EventBridge bus' },
  wakeQueueUrl: { name: 'BERTH_WAKE_QUEUE_URL', what: 'the URL of the FIFO queue that wakes the scheduler' },
  lateWakeQueueUrl: {
    name: 'BERTH_LATE_WAKE_QUEUE_URL',
    what: 'the URL of the standard queue that wakes the scheduler after a delay',
  },
  provisionQueueUrl: {
    name: 'BERTH_PROVISION_QUEUE_URL',
    what: 'the URL of the FIFO queue that asks for capacity',
  },
  deadLettersJson: {
    name: 'BERTH_DEAD_LETTERS',
    what: 'the dead-letter queues and their sources as JSON',
  },
};

const logLevels: readonly LogLevel[] = ['DEBUG', 'INFO', 'WARN', 'ERROR'];

const isLogLevel = (level: string): level is LogLevel => logLevels.some((known) => known === level);

function readLogLevel(text: string | undefined): LogLevel {
  const level = (text ?? 'INFO').toUpperCase();
  if (isLogLevel(level)) return level;
  throw new SettingsError(`BERTH_LOG_LEVEL is "${text}": set it to one of ${logLevels.join(', ')}.`);
}

/** @throws SettingsError for a value that is there and wrong; a missing one is found by `requireSettings`. */
export function readSettings(environment: Environment): Settings {
  const resources: { -readonly [name in ResourceSetting]?: string } = {};
  for (const setting of Object.keys(variables) as ResourceSetting[]) {
    const value = environment[variables[setting].name];
    if (value) resources[setting] = value;
  }
  return {
    service: environment.POWERTOOLS_SERVICE_NAME || 'berth',
    logLevel: readLogLevel(environment.BERTH_LOG_LEVEL || undefined),
    ...resources,
    ...(environment.BERTH_CLUSTERS ? { clustersJson: environment.BERTH_CLUSTERS } : {}),
  };
}

/**
 * The values of these settings.
 * @throws SettingsError that names all that are missing, so that one deployment mends them.
 */
export function requireSettings<S extends ResourceSetting>(
  settings: Settings,
  names: readonly S[],
): Record<S, string> {
  const found = {} as Record<S, string>;
  const missing: string[] = [];
  for (const name of names) {
    const value = settings[name];
    if (value === undefined)
      missing.push(`${variables[name].name} is not set: set it to ${variables[name].what}`);
    else found[name] = value;
  }
  if (missing.length > 0) throw new SettingsError(`${missing.join('; ')}.`);
  return found;
}

/** The only place of the control plane that reads the process's environment. */
export const processEnvironment = (): Environment => process.env;
