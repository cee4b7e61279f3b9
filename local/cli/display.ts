import type { StartOptions } from './options.ts';

/** Where a start tells what it does: lines for a person, or one JSON object a line for a program. */
export interface Display {
  /** Whether a person watches. */
  readonly interactive: boolean;
  /** A stage began, e.g. `starting Docker`. */
  stage(text: string): void;
  /** Something worth a line while it runs. */
  line(text: string): void;
  event(name: string, fields: Readonly<Record<string, unknown>>): void;
  failure(text: string): void;
}

const dim = (text: string): string => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[22m` : text);
const bold = (text: string): string => (process.stdout.isTTY ? `\u001b[1m${text}\u001b[22m` : text);

export function createDisplay({ json }: Pick<StartOptions, 'json'>): Display {
  if (json) {
    const write = (object: object): void => void process.stdout.write(`${JSON.stringify(object)}\n`);
    return {
      interactive: false,
      stage: (text) => write({ event: 'stage', text }),
      line: (text) => write({ event: 'log', text }),
      event: (event, fields) => write({ event, ...fields }),
      failure: (text) => void process.stderr.write(`${JSON.stringify({ event: 'failed', text })}\n`),
    };
  }
  return {
    interactive: true,
    stage: (text) => void process.stdout.write(`${bold('berth')} ${text}\n`),
    line: (text) => void process.stdout.write(`${dim(`      ${text}`)}\n`),
    event: () => {},
    failure: (text) => void process.stderr.write(`${bold('berth')} ${text}\n`),
  };
}
