/** Some hours of some days, UTC; over midnight when `toMinute` is not after `fromMinute`. */
export interface TimeWindow {
  /** Days on which it begins, 0 is Sunday; every day when absent. */
  readonly days?: readonly number[];
  /** Minutes of the day; the last is not part of it. */
  readonly fromMinute: number;
  readonly toMinute: number;
}

/** How much of a pool may be disturbed to save money. */
export interface DisruptionBudget {
  /** Share of the pool's hosts that may be emptied at one time: at least one host, none when it is 0. */
  readonly maxShare: number;
  /** Hosts emptied in any hour; absent: only `maxShare` bounds it. */
  readonly maxHostsPerHour?: number;
  /** When it may happen; always when absent. */
  readonly windows?: readonly TimeWindow[];
  /** What stopping one task and starting it elsewhere is taken to cost, USD. */
  readonly moveUsd: number;
  /**
   * Share of a task's work so far that a move throws away, 0..1, paid for at its share of its host's price: 1 for work that
   * starts over, 0 for what keeps its progress elsewhere or has none to lose.
   */
  readonly lostWork: number;
  /** A younger host has not proved superfluous, and a task placed more recently is left where it is, ms. */
  readonly settleMs: number;
  /** What is saved within this time has to exceed what the moves cost, ms. */
  readonly paybackMs: number;
}
