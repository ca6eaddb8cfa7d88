/** Longest line that is kept together; a job that writes without line ends cannot fill our memory. */
const MAX_LINE_CHARS = 16_384;

/** Cuts a member's output into lines, whatever pieces it arrives in. A last line without an end comes with `flush`. */
export interface LineCutter {
  push(bytes: Uint8Array): readonly string[];
  flush(): readonly string[];
}

export function createLineCutter(): LineCutter {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push: (bytes) => {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      if (rest.length > MAX_LINE_CHARS) {
        parts.push(rest);
        rest = '';
      }
      return parts.map(withoutControls);
    },
    flush: () => (rest === '' ? [] : [withoutControls(rest)]),
  };
}

/** A stranger's machine must not move the cursor, colour or title of the renter's terminal. */
export function withoutControls(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, (control) => (control === '\t' ? control : '')).slice(0, MAX_LINE_CHARS);
}
