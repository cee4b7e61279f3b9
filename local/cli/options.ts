import { parseArgs } from 'node:util';

export interface StartOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly bootMs: number;
  readonly demo: boolean;
  readonly json: boolean;
  readonly parameters: Readonly<Record<string, string>>;
}

export const HELP = `Berth on one machine: an embedded AWS with real containers, made from template.yaml.

  npm start -- [options]

  --port N              endpoint on 127.0.0.1 (4566; 0 takes a free one)
  --data DIR            where state is kept between starts (.berth)
  --boot-ms N           how long a host takes to boot (2000)
  --parameter NAME=VAL  sets a parameter of template.yaml, e.g. PoolMaxHosts=5; may be repeated
  --no-demo             start, and send no sample event
  --json                one JSON object a line instead of a display; {"event":"ready",...} when it is up
  --help                this text

Ctrl-C removes its containers, cgroups and processes, and keeps the state. Exit codes: 0 stopped, 1 failed,
2 the options are wrong.
`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new UsageError(`--${name} must be a whole number from 0 to ${max}; it is "${text}".`);
}

/** @throws UsageError in words for whoever typed it. */
export function readOptions(argv: readonly string[]): StartOptions | 'help' {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
  if (values.help) return 'help';
  const parameters: Record<string, string> = {};
  for (const pair of values.parameter ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--parameter must be NAME=VALUE; it is "${pair}".`);
    parameters[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return {
    dataDir: values.data,
    port: whole('port', values.port, 65_535),
    bootMs: whole('boot-ms', values['boot-ms'], 600_000),
    demo: !values['no-demo'],
    json: values.json,
    parameters,
  };
}

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      port: { type: 'string', default: '4566' },
      data: { type: 'string', default: '.berth' },
      'boot-ms': { type: 'string', default: '2000' },
      parameter: { type: 'string', multiple: true },
      'no-demo': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  }).values;
