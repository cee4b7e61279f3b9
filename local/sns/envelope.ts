import type { Published, StoredSubscription } from './records.ts';

/** Messages are not signed: nobody could fetch the certificate. Consumers that verify see that this is not the real service. */
const UNSIGNED = 'unsigned';
const CERTIFICATE_URL = 'https://sns.invalid/unsigned.pem';

const unsubscribeUrl = ({ arn }: StoredSubscription): string =>
  `https://sns.invalid/?Action=Unsubscribe&SubscriptionArn=${encodeURIComponent(arn)}`;

function shownAttributes({ attributes }: Published): Record<string, { Type: string; Value: string }> {
  const shown: Record<string, { Type: string; Value: string }> = {};
  for (const [name, { DataType, StringValue, base64 }] of Object.entries(attributes)) {
    shown[name] = { Type: DataType, Value: StringValue ?? base64 ?? '' };
  }
  return shown;
}

/** What an SQS queue receives without raw delivery. */
export function queueEnvelope(message: Published, text: string, subscription: StoredSubscription): string {
  const attributes = shownAttributes(message);
  return JSON.stringify({
    Type: 'Notification',
    MessageId: message.id,
    TopicArn: message.topicArn,
    ...(message.subject !== undefined && { Subject: message.subject }),
    Message: text,
    Timestamp: new Date(message.publishedAtMs).toISOString(),
    SignatureVersion: '1',
    Signature: UNSIGNED,
    SigningCertURL: CERTIFICATE_URL,
    UnsubscribeURL: unsubscribeUrl(subscription),
    ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
  });
}

/** What a Lambda function is invoked with. */
export function lambdaEvent(message: Published, text: string, subscription: StoredSubscription): string {
  return JSON.stringify({
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscription.arn,
        Sns: {
          Type: 'Notification',
          MessageId: message.id,
          TopicArn: message.topicArn,
          Subject: message.subject ?? null,
          Message: text,
          Timestamp: new Date(message.publishedAtMs).toISOString(),
          SignatureVersion: '1',
          Signature: UNSIGNED,
          SigningCertUrl: CERTIFICATE_URL,
          UnsubscribeUrl: unsubscribeUrl(subscription),
          MessageAttributes: shownAttributes(message),
        },
      },
    ],
  });
}
