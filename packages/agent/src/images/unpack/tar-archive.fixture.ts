/** An entry as a test wants it in an archive, however hostile. */
export interface TarEntry {
  readonly name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` and `4` devices, `5` folder, `6` pipe. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly link?: string;
  readonly mode?: number;
  /** Unix seconds. */
  readonly mtime?: number;
  /** What the header says, where that is not the content's length. */
  readonly size?: number;
}

/** An uncompressed archive of ustar, written byte by byte so that it can lie. */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(tarEntry), Buffer.alloc(1024)]);
}

function tarEntry(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const header = Buffer.alloc(512);
  const long =
    Buffer.byteLength(entry.name) > 100 ? tarEntry({ name: 'L', type: 'L', content: `${entry.name}\0` }) : '';
  header.write(entry.name.slice(0, 100), 0);
  header.write(octal(entry.mode ?? 0o644, 7), 100);
  header.write(octal(1000, 7), 108);
  header.write(octal(1000, 7), 116);
  header.write(octal(entry.size ?? content.length, 11), 124);
  header.write(octal(entry.mtime ?? 1_700_000_000, 11), 136);
  header.write('        ', 148);
  header.write(entry.type ?? '0', 156);
  header.write((entry.link ?? '').slice(0, 100), 157);
  header.write('ustar\0' + '00', 257);
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return Buffer.concat([Buffer.from(long), header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
