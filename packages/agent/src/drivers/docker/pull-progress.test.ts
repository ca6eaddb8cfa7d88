import { expect, test } from 'vitest';
import { createPullProgress } from './pull-progress.ts';

const line = (id: string, status: string, current?: number, total?: number) =>
  JSON.stringify({ id, status, progressDetail: total === undefined ? {} : { current, total } });

test('adds up the layers as Docker tells of them, and never goes back', () => {
  const progress = createPullProgress();
  const seen: number[] = [];
  for (const text of [
    JSON.stringify({ status: 'Pulling from library/debian', id: 'bookworm' }),
    line('a', 'Pulling fs layer'),
    line('a', 'Downloading', 40, 100),
    line('b', 'Downloading', 5, 50),
    line('a', 'Download complete'),
    line('a', 'Extracting', 1, 100),
    line('b', 'Downloading', 50, 50),
    line('b', 'Pull complete'),
  ]) {
    expect(progress.take(text)).toBeUndefined();
    seen.push(progress.bytes().doneBytes);
  }
  expect(seen).toEqual([0, 0, 40, 45, 105, 105, 150, 150]);
  expect(progress.bytes()).toEqual({ doneBytes: 150, totalBytes: 150 });
});

test('gives the reason for which an engine gives up, and passes over what is no line of its', () => {
  const progress = createPullProgress();
  for (const text of ['', 'x', '[]', 'null', '{"id":7}', line('a', 'Downloading', -1, 5)]) {
    expect(progress.take(text)).toBeUndefined();
  }
  expect(progress.take('{"error":"manifest unknown"}')).toBe('manifest unknown');
  expect(progress.bytes()).toEqual({ doneBytes: 0, totalBytes: 0 });
});

test('keeps count of a thousand layers and of no more', () => {
  const progress = createPullProgress();
  for (let layer = 0; layer < 2_000; layer += 1) progress.take(line(`l${layer}`, 'Downloading', 1, 1));
  expect(progress.bytes().totalBytes).toBe(1_000);
});
