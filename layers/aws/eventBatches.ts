import type { PutEventsCommandOutput, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { Sleep } from './repeatReads.ts';

/** Of one PutEvents call: 10 entries and 256 KiB in all. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;
const ATTEMPTS = 4;
const BASE_MS = 100;

/** Some events were not taken; the caller repeats all of them, and consumers see some twice. */
export class EventsNotTaken extends Error {
  override readonly name = 'EventsNotTaken';
}

/** As EventBridge counts an entry: text in UTF-8, 14 bytes for a time. */
const sizeOf = (entry: PutEventsRequestEntry): number =>
  14 +
  [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])].reduce(
    (sum, text) => sum + Buffer.byteLength(text ?? ''),
    0,
  );

export function batchesOf(entries: readonly PutEventsRequestEntry[]): PutEventsRequestEntry[][] {
  const batches: PutEventsRequestEntry[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    const size = sizeOf(entry);
    const last = batches.at(-1);
    if (last !== undefined && last.length < MAX_ENTRIES && bytes + size <= MAX_BYTES) {
      last.push(entry);
      bytes += size;
    } else {
      batches.push([entry]);
      bytes = size;
    }
  }
  return batches;
}

/** The entries that were not taken, each with its error. PutEvents answers 200 whatever became of them. */
function leftOver(batch: readonly PutEventsRequestEntry[], answer: PutEventsCommandOutput) {
  return batch.flatMap((entry, index) => {
    const result = answer.Entries?.[index];
    return result?.EventId === undefined
      ? [{ entry, error: `${result?.ErrorCode ?? 'no answer'}: ${result?.ErrorMessage ?? ''}` }]
      : [];
  });
}

/** Puts all entries, repeating those that were not taken. @throws EventsNotTaken naming the first of them. */
export async function putInBatches(
  put: (batch: PutEventsRequestEntry[]) => Promise<PutEventsCommandOutput>,
  entries: readonly PutEventsRequestEntry[],
  sleep: Sleep,
): Promise<void> {
  for (const batch of batchesOf(entries)) {
    let left = leftOver(batch, await put(batch));
    for (let attempt = 1; left.length > 0; attempt += 1) {
      if (attempt === ATTEMPTS) {
        const named = left.slice(0, 3).map(({ entry, error }) => `${entry.DetailType} (${error})`);
        throw new EventsNotTaken(`EventBridge did not take ${left.length} events: ${named.join(', ')}`);
      }
      await sleep(BASE_MS * 2 ** (attempt - 1));
      const again = left.map(({ entry }) => entry);
      left = leftOver(again, await put(again));
    }
  }
}
