import { SQSClient } from '@aws-sdk/client-sqs';
import * as v from 'valibot';
import { createDeadLetters } from '../../aws/deadLetters.ts';
import type { DeadLetters } from '../../ports/deadLetters.ts';
import type { Need } from '../deps.ts';
import { requireSettings } from '../settings.ts';
import { SettingsError } from '../settingsError.ts';
import { clientOptions } from './clientOptions.ts';

const schema = v.record(v.string(), v.object({ url: v.string(), source: v.exactOptional(v.string()) }));

export const deadLettersNeed: Need<DeadLetters> = {
  requires: ['deadLettersJson'],
  create: ({ settings }) => {
    const { deadLettersJson } = requireSettings(settings, ['deadLettersJson']);
    return createDeadLetters({ sqs: new SQSClient(clientOptions(10_000)), queues: parse(deadLettersJson) });
  },
};

function parse(json: string): v.InferOutput<typeof schema> {
  try {
    return v.parse(schema, JSON.parse(json));
  } catch (error) {
    throw new SettingsError(
      `BERTH_DEAD_LETTERS is not {"<name>": {"url": "<queue>", "source": "<queue it came from>"}}: ${(error as Error).message}`,
    );
  }
}
