import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import type { Settings } from './settings.ts';

/** An unchanged report is sent this often: it is the heartbeat. */
const HEARTBEAT_MS = 30_000;
const CALL_BOUND_MS = 3_000;

/** Sends the host's report to its own partition, when it changed or the heartbeat is due. */
export class Reporter {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #instanceArn: string;
  #sent = '';
  #sentAtMs = -HEARTBEAT_MS;
  #sending = false;

  constructor(settings: Settings, table: string) {
    this.#client = new DynamoDBClient({ region: settings.region, maxAttempts: 2 });
    this.#table = table;
    this.#instanceArn = settings.instanceArn;
  }

  /** Rejects when the table cannot be reached; the next call tries again. */
  async send(report: HostReport): Promise<void> {
    const { seenAt, ...rest } = report;
    const content = JSON.stringify(rest);
    if (this.#sending || (content === this.#sent && seenAt - this.#sentAtMs < HEARTBEAT_MS)) return;
    this.#sending = true;
    try {
      const item = marshall(
        { pk: this.#instanceArn, sk: 'REPORT', ...report },
        { removeUndefinedValues: true },
      );
      await this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item }), {
        abortSignal: AbortSignal.timeout(CALL_BOUND_MS),
      });
      this.#sent = content;
      this.#sentAtMs = seenAt;
    } finally {
      this.#sending = false;
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
