import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container } from 'dockerode';
import { afterEach, expect, it } from 'vitest';
import { HostFiles } from './hostFiles.ts';

const directory = mkdtempSync(join(tmpdir(), 'berth-files-'));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FRAME = [1, 0, 0, 0, 0, 0, 0, 2];
const container = { logs: async () => Buffer.from([...FRAME, 0x68, 0x69]) } as unknown as Container;

it('keeps the logs of so many tasks, those of the oldest go', async () => {
  for (const [age, taskId] of ['newer', 'oldest', 'older'].entries()) {
    const path = join(directory, 'logs', taskId);
    mkdirSync(path, { recursive: true });
    const seconds = { newer: 300, oldest: 100, older: 200 }[taskId] ?? age;
    utimesSync(path, seconds, seconds);
  }
  await new HostFiles(directory, 2).saveLog(container, 'latest', 'main.log');
  expect(readdirSync(join(directory, 'logs')).sort()).toEqual(['latest', 'newer']);
  expect(readFileSync(join(directory, 'logs', 'latest', 'main.log'), 'utf8')).toBe('hi');
});
