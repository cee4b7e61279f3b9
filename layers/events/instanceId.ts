import * as v from 'valibot';

export const instanceId = v.pipe(v.string(), v.regex(/^i-[0-9a-f]{1,32}$/));
