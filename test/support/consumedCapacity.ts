import type { ConsumedCapacity, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Capacity units by command since the last `reset`, the index's included. */
export interface CapacityMeter {
  readonly units: ReadonlyMap<string, number>;
  reset(): void;
}

/** Makes every request of the client ask for its consumed capacity and adds it up. */
export function meterCapacity(client: DynamoDBClient): CapacityMeter {
  const units = new Map<string, number>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const answer = await next({
        ...args,
        input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' },
      } as typeof args);
      const { ConsumedCapacity: consumed } = answer.output as {
        readonly ConsumedCapacity?: ConsumedCapacity | ConsumedCapacity[];
      };
      const parts = consumed === undefined ? [] : Array.isArray(consumed) ? consumed : [consumed];
      const sum = parts.reduce((total, part) => total + (part.CapacityUnits ?? 0), 0);
      const command = context.commandName ?? 'unknown';
      units.set(command, (units.get(command) ?? 0) + sum);
      return answer;
    },
    { step: 'initialize', name: 'capacityMeter' },
  );
  return { units, reset: () => units.clear() };
}
