import { parseShape } from '../envelope.ts';
import type { Parsed } from '../problem.ts';
import type { AnySchema } from '../schemaNode.ts';
import { clusterScaledSchema } from './clusterScaled.ts';
import { hostEndedSchema } from './hostEnded.ts';
import { taskEventSchemas } from './task.ts';
import { taskArrayEndedSchema } from './taskArrayEnded.ts';
import { taskRejectedSchema } from './taskRejected.ts';

/** Every event that Berth announces, by detail type. */
export const outgoingSchemas: Readonly<Record<string, AnySchema>> = {
  ...taskEventSchemas,
  'Task Rejected': taskRejectedSchema,
  'Task Array Ended': taskArrayEndedSchema,
  'Cluster Scaled': clusterScaledSchema,
  'Host Ended': hostEndedSchema,
};

/** One parser for each kind, for consumers in TypeScript and for the tests of what Berth sends. */
export const outgoingParsers: Readonly<Record<string, (event: unknown) => Parsed<unknown>>> =
  Object.fromEntries(
    Object.entries(outgoingSchemas).map(([name, schema]) => [
      name,
      (event: unknown) => parseShape(schema, event),
    ]),
  );
