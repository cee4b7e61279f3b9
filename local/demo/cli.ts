import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../scripts/aws');

/** Runs the real AWS CLI against the endpoint, as a user would. Rejects with what the CLI said. */
export async function awsCli(endpoint: string, args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(script, [...args], {
      env: { ...process.env, BERTH_ENDPOINT: endpoint, AWS_DEFAULT_OUTPUT: 'json' },
    });
    return stdout;
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    throw new Error(`aws ${args.slice(0, 2).join(' ')} failed: ${stderr?.trim() || message}`);
  }
}
