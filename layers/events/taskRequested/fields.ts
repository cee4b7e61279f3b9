import * as v from 'valibot';

/** A whole number with bounds, in words that both the refusal and the JSON Schema use. */
export const whole = (
  min: number,
  max: number,
  what: string,
  fix = `Write a whole number from ${min} to ${max}, without quotes.`,
) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
    v.description(`a whole number from ${min} to ${max}: ${what}`),
    v.metadata({ fix }),
  );

/** Text of bounded length, optionally of a form. */
export const text = (form: RegExp, must: string, fix: string) =>
  v.pipe(v.string(), v.regex(form), v.description(must), v.metadata({ fix }));

export const yesNo = (what: string) =>
  v.pipe(
    v.boolean(),
    v.description(`true or false: ${what}`),
    v.metadata({ fix: 'Write true or false, without quotes.' }),
  );

export const listOf = <S extends v.GenericSchema>(item: S, max: number, what: string, fix: string) =>
  v.pipe(
    v.array(item),
    v.maxLength(max),
    v.description(`a list of at most ${max} ${what}`),
    v.metadata({ fix }),
  );

/** Text to text with bounded size; `keys` and `values` say what is allowed of each. */
export const textMap = (keys: RegExp, values: RegExp, max: number, must: string, fix: string) =>
  v.pipe(
    v.record(v.pipe(v.string(), v.regex(keys)), v.pipe(v.string(), v.regex(values))),
    v.maxEntries(max),
    v.description(must),
    v.metadata({ fix }),
  );

export const group = text(
  /^[A-Za-z0-9_.:/-]{1,255}$/,
  'the name of a group of tasks: letters, digits and _ . : / -, at most 255',
  'Use the service name, for example "checkout".',
);
