import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Berth } from './berth.ts';

export interface Announced {
  readonly detailType: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** A queue behind a rule on Berth's bus, which a test reads to know what was announced. */
export class Collector {
  readonly #berth: Berth;
  readonly #name: string;
  readonly events: Announced[] = [];

  constructor(berth: Berth, name: string) {
    this.#berth = berth;
    this.#name = name;
  }

  async create(): Promise<void> {
    await this.#berth.aws('sqs', 'create-queue', '--queue-name', this.#name);
    const bus = ['--event-bus-name', 'berth'];
    await this.#berth.aws(
      'events',
      'put-rule',
      '--name',
      this.#name,
      ...bus,
      '--event-pattern',
      '{"source":["berth"]}',
    );
    await this.#berth.aws(
      'events',
      'put-targets',
      '--rule',
      this.#name,
      ...bus,
      '--targets',
      `Id=q,Arn=arn:aws:sqs:us-east-1:000000000000:${this.#name}`,
    );
  }

  /** Takes what has arrived. */
  async drain(): Promise<void> {
    const client = new SQSClient({
      endpoint: this.#berth.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'berth', secretAccessKey: 'berth' },
    });
    const QueueUrl = `${this.#berth.endpoint}/000000000000/${this.#name}`;
    for (;;) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      if (Messages.length === 0) break;
      for (const { Body = '' } of Messages) {
        const event = JSON.parse(Body) as {
          'detail-type': string;
          detail: { taskId?: string; attempt?: number };
        };
        this.events.push({
          detailType: event['detail-type'],
          taskId: event.detail.taskId ?? '',
          attempt: event.detail.attempt ?? 0,
        });
      }
      await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
        }),
      );
    }
    client.destroy();
  }

  /** Tasks announced under this detail type. */
  tasks(detailType: string): Set<string> {
    return new Set(
      this.events.filter((event) => event.detailType === detailType).map((event) => event.taskId),
    );
  }
}
