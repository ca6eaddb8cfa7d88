import { expect, it } from 'vitest';
import { fakeSystem } from '../fake-system.fixture.ts';
import { askProcessor } from './processor.ts';

it('tells the processor and the memory of the machine', async () => {
  const { sightings } = await askProcessor(fakeSystem());
  expect(sightings).toEqual([
    {
      source: 'processor',
      class: 'cpu',
      vendor: 'amd',
      name: 'AMD EPYC 9354 32-Core Processor',
      memoryBytes: 2 ** 38,
      facts: { threads: 64, architecture: 'x64' },
      gaps: [],
    },
  ]);
});

it('knows the vendor by the model, or not', async () => {
  const models = ['Intel(R) Xeon(R) Gold 6330 CPU', 'Apple M2 Max', 'Neoverse-N1'];
  const reports = await Promise.all(
    models.map((model) =>
      askProcessor(fakeSystem({ processor: () => ({ model, threads: 1, memoryBytes: 1, architecture: 'arm64' }) })),
    ),
  );
  expect(reports.map(({ sightings }) => sightings[0]?.vendor)).toEqual(['intel', 'apple', 'other']);
});

it('notes that a machine does not tell its model', async () => {
  const system = fakeSystem({ processor: () => ({ model: '', threads: 8, memoryBytes: 0, architecture: 'arm64' }) });
  expect((await askProcessor(system)).sightings[0]?.gaps).toEqual(['name: not told', 'memory: not told']);
});
