type Given<Values> = { [Key in keyof Values]?: Exclude<Values[Key], undefined> };

/** The fields that have a value, so that what is not known is absent rather than undefined. */
export function given<Values extends Record<string, string | number | undefined>>(values: Values): Given<Values>;
export function given(values: Record<string, string | number | undefined>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
