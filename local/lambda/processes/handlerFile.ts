import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Handler = (event: unknown, context: unknown) => unknown;

/** An error of the runtime's own, whose `name` is what callers see as errorType. */
function runtimeError(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** Loads `<file>.<export>` from a function's folder, with the errors the real runtime reports. */
export async function loadHandler(taskRoot: string, handlerName: string): Promise<Handler> {
  const dot = handlerName.lastIndexOf('.');
  if (dot < 1) throw runtimeError('Runtime.MalformedHandlerName', `Bad handler ${handlerName}`);
  const base = join(resolve(taskRoot), handlerName.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => base + extension).find((path) => existsSync(path));
  if (!file) {
    throw runtimeError(
      'Runtime.ImportModuleError',
      `Error: Cannot find module '${handlerName.slice(0, dot)}'`,
    );
  }
  let module: Record<string, unknown>;
  try {
    module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError('Runtime.UserCodeSyntaxError', String(error));
    throw error;
  }
  const handler = module[handlerName.slice(dot + 1)];
  if (typeof handler !== 'function') {
    throw runtimeError('Runtime.HandlerNotFound', `${handlerName} is undefined or not exported`);
  }
  if (handler.length > 2) {
    throw runtimeError(
      'Runtime.CallbackHandlerDeprecated',
      'The Node.js 24 runtime has no callback handlers: make the handler async and return its answer',
    );
  }
  return handler as Handler;
}
