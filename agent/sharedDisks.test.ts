import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeCgroupFs } from './fakeCgroupFs.ts';
import { ioWeightCapability } from './sharedDisks.ts';

let sysBlock: string;
beforeEach(() => {
  sysBlock = mkdtempSync(join(tmpdir(), 'berth-block-'));
});
afterEach(() => rmSync(sysBlock, { recursive: true, force: true }));

function disk(name: string, device: string, scheduler?: string): void {
  mkdirSync(join(sysBlock, name, 'queue'), { recursive: true });
  writeFileSync(join(sysBlock, name, 'dev'), `${device}\n`);
  if (scheduler !== undefined) writeFileSync(join(sysBlock, name, 'queue/scheduler'), `${scheduler}\n`);
}

test('a weight is worth something on disks with BFQ, and on those that iocost is on for', () => {
  const fs = new FakeCgroupFs(2);
  fs.create('');
  disk('ram0', '1:0');
  disk('sda', '8:0', '[none] mq-deadline bfq');
  const worth = (rootDisk?: string): string => ioWeightCapability(fs, fs.mounts, rootDisk, sysBlock);
  expect(worth('8:0')).toMatch(/^no: .* iocost is off and none has BFQ$/);
  disk('sdb', '8:16', 'none [bfq]');
  expect(worth('8:0')).toBe('partial: on sdb alone');
  expect(worth('8:16')).toBe('yes');
  fs.set('/fake', 'io.cost.qos', '8:1 enable=1 ctrl=auto\n8:0 enable=0 ctrl=auto');
  expect(worth('8:0')).toBe('partial: on sdb alone');
  fs.set('/fake', 'io.cost.qos', '8:0 enable=1 ctrl=auto rpct=0.00');
  expect(worth('8:0')).toBe('yes');
  expect(worth()).toBe('partial: on sda, sdb alone');
});

test('on v1 it is BFQ alone', () => {
  const fs = new FakeCgroupFs(1);
  disk('sda', '8:0', '[mq-deadline]');
  expect(ioWeightCapability(fs, fs.mounts, '8:0', sysBlock)).toBe(
    'no: no disk here is shared by weight, none has BFQ',
  );
  disk('sda', '8:0', 'mq-deadline [bfq]');
  expect(ioWeightCapability(fs, fs.mounts, '8:0', sysBlock)).toBe('yes');
});
