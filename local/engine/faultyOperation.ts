import { type EngineContext, ServiceError } from './service.ts';

/**
 * Carries a call out as a service with faults does, asked at `point`: refuses it, answers late, or does the work and
 * loses the answer, which a client sees as a server error after which it cannot know what happened.
 */
export async function withFaults<T>(
  context: EngineContext,
  point: string,
  detail: string | undefined,
  carryOut: () => T | Promise<T>,
): Promise<T> {
  const fault = context.faults.at(point, detail);
  switch (fault?.kind) {
    case 'error':
      throw new ServiceError(fault.code, fault.message, fault.statusCode);
    case 'delay':
      await new Promise<void>((resolve) => context.clock.after(fault.delayMs, resolve));
      return carryOut();
    case 'lost-answer': {
      await carryOut();
      throw new ServiceError('ServerException', 'The answer was lost on its way.', 500);
    }
    case 'drop':
      throw new ServiceError('ServerException', 'The request was lost on its way.', 500);
    default:
      return carryOut();
  }
}

/** Sends what a service says by itself: not at all, late or more than once when a fault at `point` wants it so. */
export function emitWithFaults(
  context: EngineContext,
  point: string,
  detail: string,
  emit: () => void,
): void {
  const fault = context.faults.at(point, detail);
  switch (fault?.kind) {
    case 'drop':
      return;
    case 'delay':
      context.clock.after(fault.delayMs, emit);
      return;
    case 'duplicate':
      for (let copy = 0; copy <= fault.copies; copy++) emit();
      return;
    default:
      emit();
  }
}
