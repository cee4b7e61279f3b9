import { type Problem, spoken } from '../events/problem.ts';

/** What was asked breaks a rule: the asker's to mend, so that it is answered and counted, and neither retried nor alarmed on. */
export class RefusedInput extends Error {
  override readonly name = 'RefusedInput';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(spoken).join(' '));
    this.problems = problems;
  }
}

/** What a direct invocation gets for a refused input. */
export interface Refusal {
  readonly outcome: 'refused';
  readonly problems: readonly Problem[];
}
