/** The part of an SDK command that a script looks at. */
interface Command {
  readonly input: unknown;
  readonly constructor: { readonly name: string };
}

/** What a command's n-th call answers: a value, an error to throw, or a function of its input. */
export type Answer = object | Error | ((input: never) => object | Promise<object>);

export interface ScriptedClient<Client> {
  readonly client: Client;
  /** Inputs by command name without `Command`, in the order they came. */
  inputs(operation: string): Readonly<Record<string, unknown>>[];
}

/**
 * An SDK client whose answers stand in a list for each operation; the last one repeats. An operation that nobody wrote
 * an answer for fails the test.
 */
export function scriptedClient<Client extends { send(...args: never[]): unknown }>(
  script: Readonly<Record<string, readonly Answer[]>>,
): ScriptedClient<Client> {
  const calls: { readonly operation: string; readonly input: unknown }[] = [];
  const send = async (command: Command): Promise<unknown> => {
    const operation = command.constructor.name.replace(/Command$/, '');
    const earlier = calls.filter((call) => call.operation === operation).length;
    calls.push({ operation, input: command.input });
    const answers = script[operation] ?? [];
    const answer = answers[Math.min(earlier, answers.length - 1)];
    if (answer === undefined) throw new TypeError(`Nothing was scripted for ${operation}`);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(command.input as never) : answer;
  };
  return {
    client: { send } as unknown as Client,
    inputs: (operation) =>
      calls
        .filter((call) => call.operation === operation)
        .map(({ input }) => input as Record<string, unknown>),
  };
}

/** An error as the SDK throws it. */
export const sdkError = (
  name: string,
  message: string,
  {
    fault = 'client',
    status = fault === 'client' ? 400 : 500,
    ...more
  }: { readonly fault?: 'client' | 'server'; readonly status?: number } & Record<string, unknown> = {},
): Error =>
  Object.assign(new Error(message), { name, $fault: fault, $metadata: { httpStatusCode: status }, ...more });

/** An error of Node's network layer. */
export const networkError = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
