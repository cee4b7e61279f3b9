import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The interpreter of the tests' own environment, which `scripts/setup --test` makes; else one on the path with boto3. */
export function pythonWithBoto3(): string {
  const candidates = ['.cache/venv/bin/python', 'python3'];
  for (const candidate of candidates) {
    if (candidate.includes('/') && !existsSync(candidate)) continue;
    if (spawnSync(candidate, ['-c', 'import boto3']).status === 0) return candidate;
  }
  throw new Error(`no Python with boto3 (tried ${candidates.join(', ')}): run scripts/setup --test`);
}

/** Debian's interpreter, for which its AWS CLI v2 brings a botocore of its own. */
export function pythonOfCliV2(): string {
  const python = '/usr/bin/python3';
  if (spawnSync(python, ['-c', 'import awscli.botocore']).status === 0) return python;
  throw new Error(`no awscli.botocore for ${python}: run scripts/setup`);
}

/** AWS CLI v1 beside that interpreter, or on the path. */
export function awsCliV1(): string {
  const candidates = ['.cache/venv/bin/aws', 'aws'];
  for (const candidate of candidates) {
    const { stdout } = spawnSync(candidate, ['--version'], { encoding: 'utf8' });
    if (stdout?.startsWith('aws-cli/1.')) return candidate;
  }
  throw new Error(`no AWS CLI v1 (tried ${candidates.join(', ')}): run scripts/setup --test`);
}

/** Debian's AWS CLI v2, which is what scripts/setup installs. */
export function awsCliV2(): string {
  const cli = '/usr/bin/aws';
  const { stdout } = spawnSync(cli, ['--version'], { encoding: 'utf8' });
  if (!stdout?.startsWith('aws-cli/2.')) throw new Error(`no AWS CLI v2 at ${cli}: run scripts/setup`);
  return cli;
}
