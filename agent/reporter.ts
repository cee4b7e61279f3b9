import { marshall, type NativeAttributeValue } from '@aws-sdk/util-dynamodb';
import type { HostReport } from '../layers/domain/isolation/hostReport.ts';
import type { Credentials } from './signature.ts';
import { signedCall } from './signedCall.ts';

export interface ReportTarget {
  readonly table: string;
  /** Partition key. */
  readonly instanceArn: string;
  readonly region: string;
  readonly endpoint: string;
}

/** An unchanged report is sent this often: it is the heartbeat. */
const HEARTBEAT_MS = 30_000;

/** Sends the host's report to its own partition, when it changed or the heartbeat is due. */
export class Reporter {
  readonly #target: ReportTarget;
  readonly #credentials: () => Promise<Credentials>;
  #sent = '';
  #sentAtMs = -HEARTBEAT_MS;
  #sending = false;

  constructor(target: ReportTarget, credentials: () => Promise<Credentials>) {
    this.#target = target;
    this.#credentials = credentials;
  }

  /** Rejects when the table cannot be reached or refuses; the next call tries again. */
  async send(report: HostReport): Promise<void> {
    const { seenAt, ...rest } = report;
    const content = JSON.stringify(rest);
    if (this.#sending || (content === this.#sent && seenAt - this.#sentAtMs < HEARTBEAT_MS)) return;
    this.#sending = true;
    try {
      await this.#put({ pk: this.#target.instanceArn, sk: 'REPORT', ...report });
      this.#sent = content;
      this.#sentAtMs = seenAt;
    } finally {
      this.#sending = false;
    }
  }

  async #put(item: Record<string, NativeAttributeValue>): Promise<void> {
    const { endpoint, region, table } = this.#target;
    const service = {
      service: 'dynamodb',
      region,
      endpoint,
      targetPrefix: 'DynamoDB_20120810',
      contentType: 'application/x-amz-json-1.0',
    } as const;
    const input = { TableName: table, Item: marshall(item, { removeUndefinedValues: true }) };
    await signedCall(service, 'PutItem', input, await this.#credentials());
  }
}
