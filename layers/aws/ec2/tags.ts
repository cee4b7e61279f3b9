/** Names of the tags that an instance is bought with and found by. */
export const TAGS = { cluster: 'berth:cluster', pool: 'berth:pool', order: 'berth:order' } as const;
