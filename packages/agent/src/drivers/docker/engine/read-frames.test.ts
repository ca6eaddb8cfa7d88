import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, readFrames } from './read-frames.ts';

function encode(kind: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(kind, 0);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

async function* inPieces(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const cut of [...new Set(cuts.map((one) => one % (bytes.length + 1)))].toSorted((a, b) => a - b)) {
    yield bytes.subarray(at, cut);
    at = cut;
  }
  yield bytes.subarray(at);
}

const joined = (frames: readonly Frame[], stream: Frame['stream']) =>
  Buffer.concat(frames.filter((frame) => frame.stream === stream).map(({ bytes }) => bytes));

test('gives every stream whole, wherever the connection cuts it', async () => {
  const piece = fc.record({ kind: fc.constantFrom(1, 2), bytes: fc.uint8Array({ maxLength: 40 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(piece), fc.array(fc.nat()), async (pieces, cuts) => {
      const sent = Buffer.concat(pieces.map(({ kind, bytes }) => encode(kind, bytes)));
      const frames = await Array.fromAsync(readFrames(inPieces(sent, cuts)));
      const wanted = (kind: number) =>
        Buffer.concat(pieces.filter((one) => one.kind === kind).map(({ bytes }) => bytes));
      expect(joined(frames, 'stdout')).toEqual(wanted(1));
      expect(joined(frames, 'stderr')).toEqual(wanted(2));
    }),
  );
});

test('passes on a piece that says to be of 4 GiB as it comes', async () => {
  const header = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const frames = readFrames(inPieces(Buffer.concat([header, Buffer.from('begin')]), []));
  expect((await frames.next()).value).toEqual({ stream: 'stdout', bytes: Buffer.from('begin') });
  await expect(frames.next()).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
});

test.each([
  ['an unknown stream', encode(3, Buffer.from('x'))],
  ['a header that is none', Buffer.from('HTTP/1.1 500 no')],
  ['half a header', Buffer.from([1, 0, 0])],
])('refuses %s', async (_what, bytes) => {
  await expect(Array.fromAsync(readFrames(inPieces(bytes, [])))).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
});
