import { type Service, ServiceError } from '../../engine/service.ts';

/** Calls an engine's operation as the wire would, without it. */
export async function call<O>(service: Service, operation: string, input: object): Promise<O> {
  const run = service.operations[operation];
  if (!run) throw new Error(`${service.signingName} has no operation ${operation}`);
  return (await run(input, { requestId: `template-${operation}` })) as O;
}

/** Runs `make`; when the engine says with one of `codes` that the thing is there already, `found` tells of it. */
export async function makeOrFind<O>(
  make: () => Promise<O>,
  codes: readonly string[],
  found: () => O | Promise<O>,
): Promise<O> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof ServiceError && codes.includes(error.code)) return found();
    throw error;
  }
}
