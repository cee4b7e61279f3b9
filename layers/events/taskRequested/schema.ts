import * as v from 'valibot';
import { sentence } from '../parseStrict.ts';
import { containers } from './containers.ts';
import { group, listOf, text, textMap, whole, yesNo } from './fields.ts';
import { isolation } from './isolation.ts';
import { placement } from './placement.ts';

const dependency = v.pipe(
  v.strictObject({
    taskId: text(/^[A-Za-z0-9_-]{1,58}$/, 'the id of a task', 'Copy it from its Task Accepted event.'),
    condition: v.exactOptional(
      v.pipe(
        v.picklist(['success', 'completion']),
        v.description('success or completion'),
        v.metadata({ fix: 'Leave it out for success.' }),
      ),
      'success',
    ),
    byIndex: v.exactOptional(
      yesNo(
        'each member of this array waits only for the member with its own index of the array that taskId belongs to',
      ),
    ),
  }),
  v.description('an object with taskId, condition and byIndex'),
  v.metadata({ fix: 'For example {"taskId": "...", "condition": "success"}.' }),
);

const concurrency = v.pipe(
  v.strictObject({
    key: text(
      /^[A-Za-z0-9_.:/-]{1,128}$/,
      'a name of at most 128 letters, digits and _ . : / -: tasks of the cluster that carry it count together',
      'Name what is to be spared, for example "orders-db".',
    ),
    max: whole(
      1,
      500,
      'how many tasks of the key may hold a place at a time',
      'Leave concurrency out for no limit.',
    ),
  }),
  v.description('an object with key and max'),
  v.metadata({ fix: 'For example {"key": "orders-db", "max": 3}.' }),
);

const tags = v.pipe(
  textMap(
    /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u,
    /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u,
    40,
    'an object of at most 40 tags, key (128 characters) to value (256): letters, digits, spaces and _ . : / = + - @',
    'Write {"team": "checkout"}.',
  ),
  v.check(
    (map) => !Object.keys(map).some((key) => /^(aws|berth):/i.test(key)),
    sentence('Tags that start with aws: or berth: are kept for AWS and Berth.', 'Rename the tag.'),
  ),
);

const retryOn = v.pipe(
  v.strictObject({
    exitCodes: v.exactOptional(
      listOf(
        whole(1, 255, 'an exit code', 'Write the codes that another attempt may help with.'),
        50,
        'exit codes',
        'Leave it out to retry after any.',
      ),
    ),
    outOfMemory: v.exactOptional(yesNo('another attempt follows one that ran out of memory')),
    timeout: v.exactOptional(yesNo('another attempt follows one that ran too long')),
  }),
  v.description('an object with exitCodes, outOfMemory and timeout: which ends are tried again'),
  v.metadata({ fix: 'For example {"exitCodes": [75], "outOfMemory": false}.' }),
);

const retryLimits = v.pipe(
  v.strictObject({
    imagePull: v.exactOptional(
      whole(1, 20, 'how often in all its image may fail to be pulled', 'Leave it out for 3.'),
    ),
    launchFailed: v.exactOptional(
      whole(1, 100, 'how often in all ECS may fail to start it', 'Leave it out for 10.'),
    ),
  }),
  v.description('an object with imagePull and launchFailed'),
  v.metadata({ fix: 'For example {"imagePull": 5}.' }),
);

/** Detail of `Task Requested`. Defaults: see the schema's `default`s; an absent idempotencyKey is the event's id. */
export const taskRequestSchema = v.pipe(
  v.strictObject({
    cluster: text(
      /^[A-Za-z0-9_-]{1,255}$/,
      'the name of a cluster: letters, digits, _ and -, at most 255',
      'Write its name, not its ARN: "demo".',
    ),
    taskDefinition: text(
      /^(?:arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:task-definition\/)?[A-Za-z0-9_-]{1,255}(?::[1-9][0-9]{0,8})?$/,
      'a task definition: family, family:revision or ARN',
      'For example "hello" for its newest revision or "hello:3".',
    ),
    idempotencyKey: v.exactOptional(
      text(
        /^[\x20-\x7e]{1,256}$/,
        'what makes this request the same when it is sent again: 1 to 256 printable ASCII characters',
        'Use an id of your own, for example an order number; left out, it is the id of the event.',
      ),
    ),
    count: v.exactOptional(
      whole(
        1,
        10_000,
        'how many tasks are started',
        'Write a number from 1 to 10000; send several events for more.',
      ),
      1,
    ),
    array: v.exactOptional(
      yesNo(
        'the tasks are one array: each finds its index in BERTH_ARRAY_INDEX, and the end of all is announced',
      ),
      false,
    ),
    group: v.exactOptional(group),
    containers: v.exactOptional(containers, []),
    placement: v.exactOptional(placement, {}),
    priority: v.exactOptional(whole(-1000, 1000, 'higher goes first', 'Leave it out for 0.'), 0),
    retry: v.exactOptional(
      v.pipe(
        v.strictObject({
          maxAttempts: whole(
            1,
            10,
            'attempts in all that end by the task itself (exit code, memory, timeout)',
            'Write 1 for no second attempt; lost hosts are not counted.',
          ),
          on: v.exactOptional(retryOn),
          limits: v.exactOptional(retryLimits),
        }),
        v.description('an object with maxAttempts, on and limits'),
        v.metadata({ fix: 'For example {"maxAttempts": 3}.' }),
      ),
      { maxAttempts: 1 },
    ),
    timeoutSeconds: v.exactOptional(
      whole(1, 1_209_600, 'how long one attempt may run', 'Leave it out for no limit; 14 days is the most.'),
    ),
    isolation: v.exactOptional(isolation, {}),
    interruptible: v.exactOptional(yesNo('the task may be stopped and moved'), false),
    after: v.exactOptional(
      listOf(dependency, 20, 'tasks to wait for', 'Wait for one task that waits for the others.'),
      [],
    ),
    concurrency: v.exactOptional(concurrency),
    tags: v.exactOptional(tags, {}),
  }),
  v.title('Task Requested'),
  v.description('an object with at least cluster and taskDefinition'),
  v.metadata({ fix: 'For example {"cluster": "demo", "taskDefinition": "hello"}.' }),
);
