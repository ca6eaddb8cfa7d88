/** The one option that every command has. */
export const JSON_OPTION = [
  '--json',
  'print the result as one JSON value; everything else goes to standard error',
] as const;
