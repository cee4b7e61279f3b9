import { parseOptions, UsageError, whole } from './commandLine.ts';

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

/** @throws UsageError in words for whoever typed it. */
export function readOptions(argv: readonly string[]): StartOptions {
  const values = parseOptions(argv, {
    port: { type: 'string', default: '4566' },
    data: { type: 'string', default: '.berth' },
    'boot-ms': { type: 'string', default: '2000' },
    parameter: { type: 'string', multiple: true },
    'no-demo': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  const parameters: Record<string, string> = {};
  for (const pair of values.parameter ?? []) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`--parameter must be NAME=VALUE; it is "${pair}".`);
    parameters[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return {
    dataDir: values.data,
    port: whole('port', values.port, { max: 65_535 }),
    bootMs: whole('boot-ms', values['boot-ms'], { max: 600_000 }),
    demo: !values['no-demo'],
    json: values.json,
    parameters,
  };
}
