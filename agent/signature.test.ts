import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signedHeaders } from './signature.ts';

interface Sent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the SDK would send. */
async function sdkRequest(
  credentials: { accessKeyId: string; secretAccessKey: string },
  text: string,
): Promise<Sent> {
  let sent: Sent | undefined;
  const client = new DynamoDBClient({
    region: 'eu-west-1',
    credentials,
    maxAttempts: 1,
    requestHandler: {
      handle: (request: Sent) => {
        sent = request;
        return Promise.reject(new Error('nothing is sent'));
      },
    },
  });
  await client.send(new PutItemCommand({ TableName: 't', Item: { pk: { S: text } } })).catch(() => undefined);
  if (sent === undefined) throw new Error('the SDK made no request');
  return sent;
}

test('signs as the SDK does', async () => {
  const word = fc.stringMatching(/^[A-Za-z0-9/+=]{1,40}$/);
  const token = fc.option(word, { nil: undefined });
  await fc.assert(
    fc.asyncProperty(
      word,
      word,
      token,
      fc.string(),
      async (accessKeyId, secretAccessKey, sessionToken, text) => {
        const credentials = {
          accessKeyId,
          secretAccessKey,
          ...(sessionToken === undefined ? {} : { sessionToken }),
        };
        const { headers, body } = await sdkRequest(credentials, text);
        const signed = (/SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '').split(';');
        const own = ['host', 'x-amz-date', 'x-amz-security-token'];
        const others = signed
          .filter((name) => !own.includes(name))
          .map((name) => [name, headers[name] ?? '']);
        const time = headers['x-amz-date'] ?? '';
        const at = new Date(time.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'));
        const ours = signedHeaders(
          {
            host: headers.host ?? '',
            service: 'dynamodb',
            region: 'eu-west-1',
            body,
            headers: Object.fromEntries(others) as Record<string, string>,
          },
          credentials,
          at,
        );
        expect(ours.authorization).toBe(headers.authorization);
      },
    ),
    { numRuns: 30 },
  );
});
