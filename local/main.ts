import { resolve } from 'node:path';
import { fromCommandLine } from './cli/commandLine.ts';
import { createDisplay } from './cli/display.ts';
import { lockDataDir } from './cli/lock.ts';
import { HELP, readOptions } from './cli/options.ts';
import { runDemo, tryThese } from './demo/demo.ts';
import { type EmbeddedAws, startEmbeddedAws } from './embeddedAws.ts';

/** A second Ctrl-C while stopping ends the process at once; the next start removes what is left. */
const INTERRUPTED = 130;

const chosen = fromCommandLine(HELP, readOptions);
const display = createDisplay(chosen);
const dataDir = resolve(chosen.dataDir);
const stopping = new AbortController();
let aws: EmbeddedAws | undefined;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(INTERRUPTED);
    stopping.abort();
    display.stage('stopping: removing containers, cgroups and processes');
  });
}

const whenStopped = new Promise<void>((done) => {
  stopping.signal.addEventListener('abort', () => done(), { once: true });
});

try {
  const lock = lockDataDir(dataDir);
  aws = await startEmbeddedAws({
    dataDir,
    port: chosen.port,
    bootMs: chosen.bootMs,
    parameters: chosen.parameters,
    stage: (text) => display.stage(text),
    log: (line) => display.line(line),
  });
  display.event('ready', { endpoint: aws.url, dataDir });
  if (chosen.demo && !stopping.signal.aborted) await runDemo(aws, display, stopping.signal);
  if (!chosen.json && !stopping.signal.aborted) process.stdout.write(tryThese(aws.url));
  await whenStopped;
  await aws.close();
  lock.release();
  display.stage(`stopped; the state is kept in ${chosen.dataDir}`);
  process.exit(0);
} catch (error) {
  display.failure((error as Error).message);
  await aws?.close().catch((cause: Error) => display.failure(`while stopping: ${cause.message}`));
  process.exit(1);
}
