import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { heldOutCount, heldOutShard, pixelCount, readDataFile, trainingCount, trainingShard } from './digits-data.ts';

const { csv, sha256 } = readDataFile();

describe('the data set', () => {
  test('is the one that its README names', () => {
    expect(sha256).toBe('09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22');
    expect(createHash('sha256').update(csv, 'latin1').digest('hex')).toBe(
      '6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8',
    );
  });

  test('has 1,797 images of pixels from 0 to 1, each digit at least 174 times', () => {
    const shards = [trainingShard(csv, 0, 1), heldOutShard(csv, 0, 1)];
    expect(shards.map(({ rows }) => rows)).toEqual([trainingCount, heldOutCount]);
    expect(trainingCount + heldOutCount).toBe(1797);
    expect(shards.every(({ pixels }) => pixels.every((value) => value >= 0 && value <= 1))).toBe(true);
    const labels = shards.flatMap((shard) => [...shard.labels]);
    for (let digit = 0; digit < 10; digit += 1) {
      expect(labels.filter((label) => label === digit).length).toBeGreaterThanOrEqual(174);
    }
  });

  test.each([1, 2, 3, 4, 5])('is dealt out to %i ranks without loss or overlap', (ranks) => {
    for (const shardOf of [trainingShard, heldOutShard]) {
      const whole = shardOf(csv, 0, 1);
      const shards = Array.from({ length: ranks }, (_, rank) => shardOf(csv, rank, ranks));
      expect(shards.reduce((sum, shard) => sum + shard.rows, 0)).toBe(whole.rows);
      for (let row = 0; row < whole.rows; row += 1) {
        const shard = shards[row % ranks]!;
        const index = Math.floor(row / ranks);
        expect(shard.labels[index]).toBe(whole.labels[row]);
        expect(shard.pixels.subarray(index * pixelCount, (index + 1) * pixelCount)).toEqual(
          whole.pixels.subarray(row * pixelCount, (row + 1) * pixelCount),
        );
      }
    }
  });

  test('is refused when rows are missing or damaged', () => {
    expect(() => trainingShard(csv.slice(0, 10_000), 0, 1)).toThrow('instead of 1797');
    expect(() => trainingShard(csv.replace('\n', ',3\n'), 0, 1)).toThrow('row 1 of the data set is damaged');
  });
});
