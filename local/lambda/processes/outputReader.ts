import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { splitAtMarker } from './messages.ts';

/** A single log event holds at most 256 KiB; a longer line is cut into several. */
const MAX_LINE_CHARS = 256 * 1024;

/** Splits one of a worker's output streams into lines and finds the markers that end an invocation. */
export function readOutput(
  stream: Readable,
  on: { line(text: string): void; end(requestId: string): void },
): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  // The console of the runtime writes a message of several lines as one, its line feeds turned into carriage returns.
  const emit = (line: string): void => on.line(line.replace(/\r+$/, '').replaceAll('\r', '\n'));
  const take = (line: string): void => {
    const marker = splitAtMarker(line);
    const text = marker ? marker.before : line;
    // A marker stands on a line of its own unless the function left its last line unfinished.
    if (!marker || text !== '') emit(text);
    if (marker) on.end(marker.requestId);
  };
  stream.on('data', (chunk: Buffer) => {
    rest += decoder.write(chunk);
    let start = 0;
    for (let at = rest.indexOf('\n'); at !== -1; at = rest.indexOf('\n', start)) {
      take(rest.slice(start, at));
      start = at + 1;
    }
    rest = rest.slice(start);
    while (rest.length > MAX_LINE_CHARS) {
      emit(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
  });
  stream.on('end', () => {
    if (rest !== '') take(rest);
    rest = '';
  });
}
