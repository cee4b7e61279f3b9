import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJsonSchema } from '@valibot/to-json-schema';
import { alarmEventSchema } from '../layers/events/cloudwatchAlarm/eventBridge.ts';
import { alarmActionSchema } from '../layers/events/cloudwatchAlarm/lambdaAction.ts';
import { snsAlarmSchema } from '../layers/events/cloudwatchAlarm/sns.ts';
import { ec2InstanceStateChangeSchema } from '../layers/events/ec2InstanceStateChange/parse.ts';
import { ec2RebalanceRecommendationSchema } from '../layers/events/ec2RebalanceRecommendation/parse.ts';
import { ec2SpotInterruptionSchema } from '../layers/events/ec2SpotInterruption/parse.ts';
import { ecsContainerInstanceStateChangeSchema } from '../layers/events/ecsContainerInstanceStateChange/parse.ts';
import { ecsTaskStateChangeSchema } from '../layers/events/ecsTaskStateChange/parse.ts';
import { operateSchema } from '../layers/events/operate/command.ts';
import { outgoingSchemas } from '../layers/events/out/outgoing.ts';
import type { AnySchema } from '../layers/events/schemaNode.ts';
import { taskRequestedSchema } from '../layers/events/taskRequested/event.ts';

/**
 * Writes the JSON Schemas of all events in and out to docs/schemas; with `--check` it only says whether they are up to date.
 * They describe events as they are written, before defaults and times are read.
 */

const directory = fileURLToPath(new URL('../docs/schemas/', import.meta.url));

const schemas: Readonly<Record<string, AnySchema>> = {
  'in/Task Requested': taskRequestedSchema,
  'in/operate command': operateSchema,
  'in/ECS Task State Change': ecsTaskStateChangeSchema,
  'in/ECS Container Instance State Change': ecsContainerInstanceStateChangeSchema,
  'in/EC2 Instance State-change Notification': ec2InstanceStateChangeSchema,
  'in/EC2 Spot Instance Interruption Warning': ec2SpotInterruptionSchema,
  'in/EC2 Instance Rebalance Recommendation': ec2RebalanceRecommendationSchema,
  'in/CloudWatch Alarm State Change': alarmEventSchema,
  'in/SNS alarm': snsAlarmSchema,
  'in/Lambda alarm action': alarmActionSchema,
  ...Object.fromEntries(Object.entries(outgoingSchemas).map(([name, schema]) => [`out/${name}`, schema])),
};

const fileName = (name: string): string => `${name.toLowerCase().replaceAll(' ', '-')}.json`;

/** File name to content, as it should be. */
export function renderSchemas(): Map<string, string> {
  return new Map(
    Object.entries(schemas).map(([name, schema]) => {
      // Checks across fields and transformations have no counterpart there; the fields' words say the former.
      const json = toJsonSchema(schema as Parameters<typeof toJsonSchema>[0], {
        typeMode: 'input',
        errorMode: 'ignore',
      });
      const titled = { $schema: json.$schema, title: name.slice(name.indexOf('/') + 1), ...json };
      return [fileName(name), `${JSON.stringify(titled, null, 2)}\n`];
    }),
  );
}

/** Names of the files that are missing, stale or no longer wanted. */
export function staleSchemas(): string[] {
  const wanted = renderSchemas();
  const there = new Set(
    (readdirSync(directory, { recursive: true }) as string[]).filter((name) => name.endsWith('.json')),
  );
  const stale = [...wanted].filter(
    ([name, content]) => !there.has(name) || readFileSync(`${directory}${name}`, 'utf8') !== content,
  );
  return [...stale.map(([name]) => name), ...[...there].filter((name) => !wanted.has(name))].sort();
}

function write(): void {
  rmSync(directory, { recursive: true, force: true });
  for (const side of ['in', 'out']) mkdirSync(`${directory}${side}`, { recursive: true });
  for (const [name, content] of renderSchemas()) writeFileSync(`${directory}${name}`, content);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--check')) {
    const stale = staleSchemas();
    if (stale.length > 0) {
      console.error(`docs/schemas is not up to date (${stale.join(', ')}): run npm run schemas`);
      process.exit(1);
    }
  } else write();
}
