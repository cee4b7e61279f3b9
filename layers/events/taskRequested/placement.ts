import * as v from 'valibot';
import { QueryError } from '../../domain/placement/query/error.ts';
import { parseQuery } from '../../domain/placement/query/query.ts';
import { sentence } from '../parseStrict.ts';
import { group, listOf, text, whole } from './fields.ts';

function queryError(text: string): QueryError | undefined {
  try {
    parseQuery(text);
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
}

const expression = v.pipe(
  v.string(),
  v.maxLength(2000),
  v.check(
    (text) => queryError(text) === undefined,
    (issue) => {
      const error = queryError(String(issue.input));
      return sentence(`${error?.rule}, at character ${error?.position} of the expression.`, error?.fix ?? '');
    },
  ),
  v.description("an expression of ECS's cluster query language, at most 2000 characters"),
  v.metadata({ fix: 'For example "attribute:ecs.instance-type =~ c6i.*".' }),
);

const constraint = v.pipe(
  v.variant('type', [
    v.strictObject({ type: v.literal('distinctInstance') }),
    v.strictObject({ type: v.literal('memberOf'), expression }),
    v.strictObject({ type: v.picklist(['affinity', 'antiAffinity']), group }),
  ]),
  v.description(
    'a constraint with type distinctInstance, memberOf (with expression), affinity or antiAffinity (with group)',
  ),
  v.metadata({ fix: 'For example {"type": "distinctInstance"}.' }),
);

/** ECS's spellings of the two fields that Berth names by themselves. */
const spreadFields: Readonly<Record<string, string>> = {
  host: 'instanceId',
  'attribute:ecs.availability-zone': 'zone',
};

const spreadField = v.pipe(
  text(/^[A-Za-z0-9_./:-]{1,128}$/, 'instanceId, zone or the name of an attribute', 'For example "zone".'),
  v.transform((field) => spreadFields[field] ?? field.replace(/^attribute:/, '')),
);

const strategy = v.pipe(
  v.variant('type', [
    v.strictObject({
      type: v.literal('binpack'),
      field: v.exactOptional(
        v.pipe(
          v.picklist(['cpu', 'memory']),
          v.description('cpu or memory'),
          v.metadata({ fix: 'Leave it out to pack by whichever is scarcer.' }),
        ),
      ),
    }),
    v.strictObject({ type: v.literal('random') }),
    v.strictObject({
      type: v.literal('spread'),
      field: spreadField,
      maxSkew: v.exactOptional(
        whole(
          1,
          1000,
          'how far the fullest and the emptiest may be apart',
          'Leave it out to only prefer a spread.',
        ),
      ),
    }),
  ]),
  v.description('a strategy with type binpack (with field cpu or memory), random or spread (with field)'),
  v.metadata({ fix: 'For example {"type": "binpack", "field": "memory"}.' }),
);

const gang = v.pipe(
  v.strictObject({
    id: text(
      /^[A-Za-z0-9_.:-]{1,128}$/,
      'a name of at most 128 letters, digits and _ . : -',
      'Give all members the same id.',
    ),
    size: whole(1, 100, 'the members of the gang', 'Count all tasks that carry this id.'),
  }),
  v.description('an object with id and size: members are placed all or none'),
  v.metadata({ fix: 'For example {"id": "training-17", "size": 4}.' }),
);

export const placement = v.pipe(
  v.strictObject({
    strategies: v.exactOptional(listOf(strategy, 5, 'placement strategies', 'Keep the first five.'), []),
    constraints: v.exactOptional(
      listOf(constraint, 10, 'placement constraints', 'Join memberOf expressions with "and".'),
      [],
    ),
    pool: v.exactOptional(
      text(
        /^[A-Za-z0-9_-]{1,64}$/,
        'the name of a pool: letters, digits, _ and -, at most 64',
        'Leave it out for any pool.',
      ),
    ),
    gang: v.exactOptional(gang),
  }),
  v.description('an object with strategies, constraints, pool and gang'),
  v.metadata({ fix: 'Leave it out to let Berth pack the tasks onto the fewest hosts.' }),
);
