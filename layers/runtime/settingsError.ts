/** The function cannot work with the environment it was given; the message names the variable, the rule and the fix. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}
