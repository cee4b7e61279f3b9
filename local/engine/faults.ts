/** What may go wrong at a named point of an engine. */
export type Fault =
  | { readonly kind: 'error'; readonly code: string; readonly message: string; readonly statusCode: number }
  /** The call is carried out and its answer is lost: the caller sees a timeout. */
  | { readonly kind: 'lost-answer' }
  | { readonly kind: 'duplicate'; readonly copies: number }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'drop' };

/**
 * Asked at every point where the real service may misbehave, e.g. `at('ecs.RunTask')`, `at('events.deliver', ruleName)`.
 * An engine honours the kinds that make sense at its point and ignores the rest.
 */
export interface FaultPlan {
  at(point: string, detail?: string): Fault | undefined;
}

export const noFaults: FaultPlan = { at: () => undefined };
