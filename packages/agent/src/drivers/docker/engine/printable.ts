const maxChars = 300;

/** What an engine or a registry says, made fit for a message of ours: printable ASCII of one line, the end of it if it is long. */
export function printable(text: string): string {
  return text
    .replaceAll(/[^ -~]+/g, ' ')
    .trim()
    .slice(-maxChars);
}
