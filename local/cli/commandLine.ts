import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** What somebody typed cannot be carried out; the message says which option, and what it may be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `parseArgs` of options alone. @throws UsageError for an option that there is not, or that lacks its value. */
export function parseOptions<Options extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.replace(/\.?$/, '.'));
  }
}

/** @throws UsageError */
export function whole(name: string, text: string, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  throw new UsageError(`--${name} must be a whole number ${range}; it is "${text}".`);
}

/** @throws UsageError */
export function oneOf<Name extends string>(name: string, text: string, names: readonly Name[]): Name {
  const found = names.find((each) => each === text);
  if (found !== undefined) return found;
  throw new UsageError(`--${name} must be one of ${names.join(', ')}; it is "${text}".`);
}

/**
 * What `read` makes of the command line. Ends the process for `--help` (0), which wins over everything else, and for a
 * UsageError (2).
 */
export function fromCommandLine<Options>(help: string, read: (argv: readonly string[]) => Options): Options {
  const argv = process.argv.slice(2);
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(`${help.trimEnd()}\n`);
    process.exit(0);
  }
  try {
    return read(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nSee --help.\n`);
    process.exit(2);
  }
}
