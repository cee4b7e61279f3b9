import { ServiceError } from '../engine/service.ts';
import { convert, isRecord, ShapeMismatch } from './convert.ts';
import { copyInput, copyOutput } from './copyCodec.ts';
import type { ServiceBinding } from './dispatch.ts';
import { modelOf, type OperationModel, operationOf, type SdkModule, type ServiceModel } from './model.ts';
import { describeError, inputError, speaksForm, unknownOperation } from './protocol.ts';

/** What any SDK client has in common; name yours for its types: `inProcessClient<ECSClient>(binding)`. */
interface SdkClient {
  send(...args: never[]): unknown;
  destroy(): void;
}

/**
 * Runs SDK commands against a service's operations, without bytes or sockets. Input and output are copied by their
 * schemas, so that what a real service would refuse or leave out is refused or left out here too. Errors are the
 * SDK's own exceptions. It neither retries nor signs: what it is sent happens once, at once.
 */
export function inProcessClient<Client extends SdkClient>({
  service,
  sdk,
}: ServiceBinding): Pick<Client, 'send' | 'destroy'> {
  const model = modelOf(sdk);
  let calls = 0;

  const run = async (command: unknown, options: SendOptions = {}): Promise<unknown> => {
    calls += 1;
    const requestId = `${model.signingName}-${calls}`;
    const { abortSignal } = options;
    if (abortSignal?.aborted) throw abortError();
    const operation = operationOf(schemaOf(command));
    const running = call(operation, (command as { readonly input: unknown }).input, requestId, abortSignal);
    return abortSignal === undefined ? running : Promise.race([running, whenAborted(abortSignal)]);
  };

  const call = async (
    operation: OperationModel,
    input: unknown,
    requestId: string,
    signal: AbortSignal | undefined,
  ): Promise<unknown> => {
    try {
      const implementation = service.operations[operation.name];
      if (implementation === undefined) {
        throw unknownOperation(model, operation.name, speaksForm(model));
      }
      const callContext = { requestId, ...(signal === undefined ? {} : { signal }) };
      const output = await implementation(readInput(model, operation, input), callContext);
      const copy = convert(operation.output, output ?? {}, copyOutput);
      return { ...(isRecord(copy) ? copy : {}), $metadata: { httpStatusCode: 200, requestId, attempts: 1 } };
    } catch (error) {
      throw error instanceof ServiceError ? sdkException(sdk, model, error, requestId) : error;
    }
  };

  // The SDK's `send` is overloaded with callbacks, which TypeScript cannot see a plain function to satisfy.
  const client: { send: typeof run; destroy(): void } = { send: run, destroy: () => {} };
  return client as unknown as Pick<Client, 'send' | 'destroy'>;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** The schema, not the class's name, says which operation a command is: names do not survive minifying. */
function schemaOf(command: unknown): readonly unknown[] {
  if (
    typeof command === 'object' &&
    command !== null &&
    'schema' in command &&
    Array.isArray(command.schema)
  ) {
    return command.schema;
  }
  throw new Error('expected an SDK command that carries its operation schema');
}

function readInput(model: ServiceModel, operation: OperationModel, input: unknown): unknown {
  try {
    return convert(operation.input, input ?? {}, copyInput);
  } catch (error) {
    throw error instanceof ShapeMismatch ? inputError(model, error, speaksForm(model)) : error;
  }
}

type ExceptionClass = new (options: object) => Error;

/** The exception the real client would throw: the error's own class, or the service's base class for codes it does not model. */
function sdkException(sdk: SdkModule, model: ServiceModel, error: ServiceError, requestId: string): Error {
  const described = describeError(model, error);
  const $metadata = { httpStatusCode: described.statusCode, requestId, attempts: 1 };
  const Modelled = model.errors.has(error.code) ? exportedClass(sdk, described.name) : undefined;
  if (Modelled !== undefined) {
    return new Modelled({ ...error.fields, message: error.message, $metadata });
  }
  const Base = exportedClass(
    sdk,
    Object.keys(sdk).find((name) => /^(?!_).+ServiceException$/.test(name)) ?? '',
  );
  if (Base === undefined) return error;
  const $fault = described.sender ? 'client' : 'server';
  return Object.assign(
    new Base({ name: error.code, $fault, message: error.message, $metadata }),
    error.fields,
  );
}

function exportedClass(sdk: SdkModule, name: string): ExceptionClass | undefined {
  const exported = sdk[name];
  return typeof exported === 'function' ? (exported as ExceptionClass) : undefined;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(abortError()), { once: true });
  });
}

function abortError(): Error {
  return Object.assign(new Error('Request aborted'), { name: 'AbortError' });
}
