import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { incomingParsers, parseIncoming } from './incoming.ts';
import { outgoingParsers } from './out/outgoing.ts';

const directory = new URL('../../events/', import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, directory), 'utf8'));
const files = (readdirSync(directory, { recursive: true }) as string[]).filter((name) =>
  name.endsWith('.json'),
);
const samples = files.filter((name) => !name.startsWith('entries/')).sort();
const entryFiles = files.filter((name) => name.startsWith('entries/')).sort();

const parsers = { ...incomingParsers, ...outgoingParsers };
const slug = (name: string): string => name.toLowerCase().replaceAll(' ', '-');

const parsersOf = (event: unknown): string[] =>
  Object.entries(parsers).flatMap(([name, parse]) => (parse(event).ok ? [name] : []));

describe('the sample events', () => {
  it.each(samples)('%s is parsed by exactly one parser, the one it is named for', (name) => {
    const [, kind] = /\/(.+)\.[a-z-]+\.json$/.exec(name) ?? [];
    expect(parsersOf(read(name)).map(slug)).toEqual([kind]);
  });

  it('cover every parser', () => {
    const covered = new Set(samples.flatMap((name) => parsersOf(read(name))));
    expect([...covered].sort()).toEqual(Object.keys(parsers).sort());
  });

  it('stand in the folder of their source', () => {
    for (const name of samples) {
      const { source = 'aws.sns' } = read(name) as { readonly source?: string };
      expect(name.split('/')[0], name).toBe(source);
    }
  });

  it('tell one change of an alarm with one id, whichever way it comes', () => {
    for (const state of ['alarm', 'ok']) {
      const changes = [
        `aws.cloudwatch/cloudwatch-alarm-state-change.${state}.json`,
        `aws.cloudwatch/lambda-alarm-action.${state}.json`,
        `aws.sns/sns-alarm.${state}.json`,
      ].map((name) => parseIncoming(read(name)));
      expect(changes[0]).toMatchObject({ kind: 'alarm', change: { alarmName: 'checkout-backlog' } });
      expect(changes[1]).toEqual(changes[0]);
      expect(changes[2]).toEqual(changes[0]);
    }
  });

  it('show in Task Rejected what is wrong with the refused request', () => {
    const refused = parseIncoming(read('demo.shop/task-requested.refused.json'));
    const rejected = read('berth/task-rejected.refused.json') as { readonly detail: unknown };
    expect(refused.kind).toBe('task-refused');
    expect(refused).toMatchObject({ problems: (rejected.detail as { problems: unknown }).problems });
  });
});

describe('the entries for put-events', () => {
  const sampleOf = (name: string): string =>
    name === 'entries/twice.json' ? 'hello' : name.slice('entries/'.length, -'.json'.length);

  it.each(entryFiles)('%s carries the details of the sample of its name', (name) => {
    const entries = read(name) as {
      Source: string;
      DetailType: string;
      Detail: string;
      EventBusName: string;
    }[];
    const sample = read(`demo.shop/task-requested.${sampleOf(name)}.json`) as {
      readonly source: string;
      readonly detail: unknown;
    };
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      expect(Object.keys(entry).sort()).toEqual(['Detail', 'DetailType', 'EventBusName', 'Source']);
      expect(entry).toMatchObject({
        Source: sample.source,
        DetailType: 'Task Requested',
        EventBusName: 'berth',
      });
      expect(JSON.parse(entry.Detail)).toEqual(sample.detail);
    }
  });

  it('exist for every request', () => {
    const requests = samples.filter((name) => name.startsWith('demo.shop/task-requested.'));
    expect(entryFiles.map(sampleOf)).toEqual(
      expect.arrayContaining(requests.map((name) => /task-requested\.(.+)\.json$/.exec(name)?.[1])),
    );
  });
});
