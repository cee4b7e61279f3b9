export interface Ids {
  /** A fresh unique id: lower-case letters and digits, at most 26 characters. */
  next(): string;
}
