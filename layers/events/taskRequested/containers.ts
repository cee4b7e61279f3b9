import * as v from 'valibot';
import { sentence } from '../parseStrict.ts';
import { listOf, text, textMap, whole } from './fields.ts';

/** ECS takes 8192 characters of overrides; what the launch adds for the host's agent has to fit as well. */
export const MAX_OVERRIDES_LENGTH = 6000;

const environment = v.pipe(
  textMap(
    /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/,
    /^[^\0]*$/,
    100,
    'an object of at most 100 variables, name to text',
    'Write {"NAME": "value"}; numbers need quotes.',
  ),
  v.check(
    (variables) => !Object.keys(variables).some((name) => name.startsWith('BERTH_')),
    sentence('Names that start with BERTH_ are kept for Berth.', 'Rename the variable.'),
  ),
);

const container = v.pipe(
  v.strictObject({
    name: text(
      /^[A-Za-z0-9_-]{1,255}$/,
      'the name of a container of the task definition',
      'Copy it from the task definition.',
    ),
    command: v.exactOptional(
      listOf(
        v.pipe(v.string(), v.regex(/^[^\0]*$/), v.description('text'), v.metadata({ fix: 'Quote it.' })),
        200,
        'words',
        'Write the program and each argument as a text of its own: ["echo", "hello"].',
      ),
    ),
    environment: v.exactOptional(environment),
    cpu: v.exactOptional(
      whole(1, 196_608, 'CPU units (1024 = one vCPU)', "Leave it out for the task definition's."),
    ),
    memory: v.exactOptional(
      whole(4, 33_554_432, 'MiB, the hard limit', "Leave it out for the task definition's."),
    ),
  }),
  v.description('an object with name and what it overrides: command, environment, cpu, memory'),
  v.metadata({ fix: 'For example {"name": "app", "command": ["echo", "hello"]}.' }),
);

export const containers = v.pipe(
  listOf(container, 10, 'container overrides', 'Name each container once.'),
  v.check(
    (list) => new Set(list.map(({ name }) => name)).size === list.length,
    sentence('containers names one container twice.', 'Put all its overrides into one entry.'),
  ),
  v.check(
    (list) => JSON.stringify(list).length <= MAX_OVERRIDES_LENGTH,
    sentence(
      `containers is longer than ${MAX_OVERRIDES_LENGTH} characters of JSON, more than ECS takes as overrides.`,
      'Put large values into an object store and pass a reference.',
    ),
  ),
);
