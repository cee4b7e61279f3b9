export const HELP = `Asks Berth's operator function and prints its answer.

  scripts/berth status CLUSTER            hosts, pools and the queue
  scripts/berth list CLUSTER [STATE]      live tasks: PENDING, PLACED or RUNNING
  scripts/berth explain TASK_ID           why a task is where it is
  scripts/berth cancel TASK_ID [REASON]
  scripts/berth drain CLUSTER HOST_ID [REASON]
  scripts/berth pause CLUSTER             nothing more is placed
  scripts/berth resume CLUSTER
  scripts/berth pool CLUSTER POOL CHANGE  changes settings: '{"maxHosts": 20}'
  scripts/berth dead-letters [QUEUE [MESSAGE_ID]]   what was given up, and why
  scripts/berth redrive QUEUE [MESSAGE_ID]          gives all of it, or one, another round
  scripts/berth weight CLUSTER SOURCE WEIGHT   what a source gets beside others (1)
  scripts/berth submit FILE               a request as JSON, as the detail of a Task Requested event; - reads stdin

  --json                                  the answer as it came

BERTH_ENDPOINT chooses the endpoint (http://127.0.0.1:4566; "aws" for AWS itself, with your own credentials).
Exit codes: 0 done, 1 refused or failed, 2 the words are off.`;

export interface Command {
  readonly operation: string;
  readonly [field: string]: unknown;
}

const forms: Readonly<Record<string, readonly string[]>> = {
  status: ['cluster'],
  list: ['cluster', 'state?'],
  explain: ['taskId'],
  cancel: ['taskId', 'reason?'],
  drain: ['cluster', 'hostId', 'reason?'],
  pause: ['cluster'],
  resume: ['cluster'],
  pool: ['cluster', 'pool', 'change'],
  'dead-letters': ['queue?', 'messageId?'],
  redrive: ['queue', 'messageId?'],
  weight: ['cluster', 'source', 'weight'],
  submit: ['file'],
};

/** The command that the words ask for, or a sentence that says what is off. `read` gives a file's text. */
export function commandOf(words: readonly string[], read: (file: string) => string): Command | string {
  const [operation = '', ...rest] = words;
  const form = forms[operation];
  if (!form) return `There is no command "${operation}".`;
  const required = form.filter((name) => !name.endsWith('?'));
  if (rest.length < required.length)
    return `${operation} needs ${required.slice(rest.length).join(' and ')}.`;
  if (rest.length > form.length) return `${operation} takes no "${rest[form.length]}".`;
  const fields = Object.fromEntries(rest.map((word, index) => [(form[index] ?? '').replace('?', ''), word]));
  if (operation === 'submit') {
    try {
      return { operation, request: JSON.parse(read(fields.file ?? '')) as unknown };
    } catch (error) {
      return `The request could not be read: ${(error as Error).message}.`;
    }
  }
  if (operation === 'pool') {
    try {
      return { operation, ...fields, change: JSON.parse(fields.change ?? '') as unknown };
    } catch (error) {
      return `The change is no JSON: ${(error as Error).message}.`;
    }
  }
  const { state, weight, ...others } = fields;
  return {
    operation,
    ...others,
    ...(weight !== undefined && { weight: Number(weight) }),
    ...(state !== undefined && { states: [state] }),
  };
}
