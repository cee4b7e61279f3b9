import { readFileSync } from 'node:fs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { commandOf, HELP } from './operate/command.ts';
import { printAnswer } from './operate/print.ts';

/** The command line behind `scripts/berth`. */

const argv = process.argv.slice(2);
const json = argv.includes('--json');
const words = argv.filter((word) => word !== '--json');

if (words.length === 0 || words.includes('--help') || words.includes('-h')) {
  console.log(HELP);
  process.exit(words.length === 0 ? 2 : 0);
}

const command = commandOf(words, (file) => readFileSync(file === '-' ? 0 : file, 'utf8'));
if (typeof command === 'string') {
  console.error(`${command}\n\n${HELP}`);
  process.exit(2);
}

const endpoint = process.env.BERTH_ENDPOINT ?? 'http://127.0.0.1:4566';
const onAws = endpoint === 'aws';
const client = new LambdaClient({
  region: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? 'us-east-1',
  ...(!onAws && { endpoint, credentials: { accessKeyId: 'berth', secretAccessKey: 'berth' } }),
});

try {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: 'berth-operate', Payload: Buffer.from(JSON.stringify(command)) }),
  );
  const result = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8')) as Record<string, unknown>;
  if (answer.FunctionError) throw new Error(String(result.errorMessage ?? answer.FunctionError));
  if (json) console.log(JSON.stringify(result, null, 2));
  else printAnswer(command.operation, result);
  process.exitCode = result.outcome === 'refused' ? 1 : 0;
} catch (error) {
  const { code, message } = error as Error & { code?: string };
  console.error(
    code === 'ECONNREFUSED'
      ? `Nothing answers at ${endpoint}. Start it with npm start, or set BERTH_ENDPOINT (BERTH_ENDPOINT=aws for AWS).`
      : message,
  );
  process.exitCode = 1;
}
