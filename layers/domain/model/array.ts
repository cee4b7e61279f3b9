/** Members of one request that are counted together: each knows its index, and the end of the last is announced. */
export interface ArrayRef {
  /** The id of the member with index 0. */
  readonly arrayId: string;
  readonly size: number;
}

/** The record of an array. `endedAt` is set once, when its last member has ended. */
export interface TaskArray extends ArrayRef {
  readonly cluster: string;
  readonly source: string;
  readonly idempotencyKey: string;
  readonly createdAt: number;
  readonly endedAt?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly cancelled?: number;
  /** Epoch seconds, DynamoDB TTL. */
  readonly expiresAt: number;
}

/** Members counted in one record: a write costs its whole record, and this many indexes stay under one kilobyte. */
export const ARRAY_PART = 100;

export const partsOf = ({ size }: ArrayRef): number => Math.ceil(size / ARRAY_PART);

/** Members of the part that holds `index`. */
export const partSize = ({ size }: ArrayRef, part: number): number =>
  Math.min(ARRAY_PART, size - part * ARRAY_PART);
