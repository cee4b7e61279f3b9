/**
 * A stand-in for the engine's process, for the test that kills it: starts a worker that never yields and one that is
 * idle, prints their process ids and waits to be killed.
 */
import { functionRecord } from '../function.ts';
import { ProcessPool } from './processRunner.ts';
import { StartGate } from './startGate.ts';

const [codeDir = '.'] = process.argv.slice(2);
const fn = functionRecord(
  { name: 'fn', codeDir, handler: 'index.handler', timeoutSeconds: 600 },
  { region: 'eu-west-1', accountId: '123456789012' },
  { nowMs: 0, id: 'r1' },
);
const pool = new ProcessPool(
  fn,
  { started: () => {}, output: () => {} },
  {
    region: 'eu-west-1',
    endpointUrl: 'http://127.0.0.1:4566',
  },
  new StartGate(2),
);
await pool.prewarm(2);
void pool.invoke({ requestId: 'r', payload: '{"do":"spin"}', traceId: '' });
setInterval(() => {}, 1_000);
process.stdout.write(`${JSON.stringify(pool.pids)}\n`);
