/**
 * The table's shape, once, as data: tests create it from here, and `template.yaml` repeats it.
 *
 * The index projects ALL and holds what waits. A queued task is read whole on every pass, and with a plain task under 1 KB
 * its way through the index costs two units (in and out) whatever the projection; only a changed wait reason costs one more. KEYS_ONLY would
 * save that one and pay a BatchGet of the whole queue on every pass instead.
 */
export const tableDefinition = {
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'gsiPk', AttributeType: 'S' },
    { AttributeName: 'gsiSk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'byState',
      KeySchema: [
        { AttributeName: 'gsiPk', KeyType: 'HASH' },
        { AttributeName: 'gsiSk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'ALL' },
    },
  ],
  BillingMode: 'PAY_PER_REQUEST',
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
} as const;

export const pendingIndex = 'byState';

/** The attribute that DynamoDB's TTL reads, in epoch seconds. */
export const timeToLiveAttribute = 'expiresAt';
