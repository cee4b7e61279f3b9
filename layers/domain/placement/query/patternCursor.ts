/** `position` counts from the start of the pattern. */
export class PatternError extends Error {
  readonly position: number;
  constructor(position: number, message: string) {
    super(message);
    this.name = 'PatternError';
    this.position = position;
  }
}

/** Where the parser is in a pattern. */
export interface Cursor {
  readonly source: string;
  at: number;
  ignoreCase: boolean;
}
