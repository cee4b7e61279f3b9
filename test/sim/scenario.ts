import { type SimAction, type SimPlan, type SimRequest, simPool } from '../../local/sim/plan.ts';

export interface Scenario {
  readonly name: string;
  readonly plan: SimPlan;
  /** How every task ends, whatever crashes: its state. */
  readonly ends: readonly string[];
  /** What the trace of the undisturbed run has to show. */
  readonly happens?: readonly RegExp[];
  /** What is announced is looked at as well, which is a third more work. */
  readonly announced?: true;
}

export const request = (over: Partial<SimRequest> = {}): SimRequest => ({
  key: 'one',
  atMs: 100,
  count: 1,
  cpu: 512,
  memory: 512,
  priority: 0,
  interruptible: false,
  maxAttempts: 2,
  behaviour: { runMs: 5_000, exitCode: 0, failures: 0 },
  sends: 1,
  ...over,
});

export const endless = { exitCode: 0, failures: 0 };

export const plan = (
  requests: readonly SimRequest[],
  actions: readonly SimAction[] = [],
  over: Parameters<typeof simPool>[0] = {},
): SimPlan => ({ requests, actions, pool: simPool({ maxHosts: 2, ...over }), stormMs: 60_000 });
