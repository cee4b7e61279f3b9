/** A `Task Requested` event as a queue carries it. */
export const requestEvent = (
  detail: object,
  { id = 'e-1', source = 'shop' }: { readonly id?: string; readonly source?: string } = {},
): string =>
  JSON.stringify({
    version: '0',
    id,
    'detail-type': 'Task Requested',
    source,
    account: '123456789012',
    time: '2026-11-24T10:15:30Z',
    region: 'us-east-1',
    resources: [],
    detail,
  });
