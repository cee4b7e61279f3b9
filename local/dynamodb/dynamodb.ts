import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { FaultPlan } from '../engine/faults.ts';
import type { Gate } from '../wire/gate.ts';
import type { Passthrough } from '../wire/passthrough.ts';
import { faultyProxy } from './faultyProxy.ts';
import { guarded } from './guarded.ts';
import { databaseProxy } from './proxy.ts';
import type { Place } from './relocate.ts';
import { DatabaseServer, databaseBinary } from './server.ts';
import { endStaleServers, refuseSecondServer } from './stale.ts';

export interface DynamoDbOptions {
  /** Where the tables are kept; made when missing. */
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Asked at `dynamodb.<Operation>` and `dynamodb.<Operation>.stale`; without a plan requests are not even buffered. */
  readonly faults?: FaultPlan;
  /** Without one, everybody may do everything. */
  readonly gate?: Gate;
  /** What the ARNs of tables and streams name; us-east-1 and account 000000000000 when not said. */
  readonly place?: Place;
}

const DEFAULT_PLACE: Place = { region: 'us-east-1', accountId: '000000000000' };

export interface DynamoDb {
  /** The database server itself, without faults and without write notices. */
  readonly url: string;
  /** Undefined for the moments between a death of the server and its restart. */
  readonly pid: number | undefined;
  /** For `startWire({ passthroughs: { dynamodb } })`; serves DynamoDB and DynamoDB Streams. */
  readonly passthrough: Passthrough;
  /** Calls `listener` after each write through the passthrough. The returned function takes it off again. */
  onWrite(listener: () => void): () => void;
  stop(): Promise<void>;
}

/**
 * Starts the DynamoDB engine on `dataDir`. Ends a server that a killed predecessor left on the same files; throws when a
 * living process uses them.
 */
export async function startDynamoDb({
  dataDir,
  log,
  faults,
  gate,
  place = DEFAULT_PLACE,
}: DynamoDbOptions): Promise<DynamoDb> {
  mkdirSync(dataDir, { recursive: true });
  const databaseFile = join(resolve(dataDir), 'dynamodb.sqlite');
  const binary = databaseBinary();
  await endStaleServers(binary, databaseFile, log);
  const server = await DatabaseServer.start({ binary, databaseFile, log });
  try {
    refuseSecondServer(binary, databaseFile, server.pid);
  } catch (error) {
    await server.stop();
    throw error;
  }
  const listeners = new Set<() => void>();
  const announce = (): void => {
    for (const listener of listeners) listener();
  };
  const proxy =
    faults === undefined
      ? databaseProxy(server.url, place, announce)
      : faultyProxy(server.url, place, faults, announce);
  return {
    url: server.url,
    get pid() {
      return server.pid;
    },
    passthrough: gate === undefined ? proxy : guarded(proxy, gate),
    onWrite(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      proxy.close();
      await server.stop();
    },
  };
}
