import { describe, expect, it } from 'vitest';
import { askWebgpu } from './webgpu.ts';

const never = new AbortController().signal;
const adapter = {
  vendor: 'nvidia',
  architecture: 'hopper',
  device: '',
  description: 'NVIDIA H200',
  isFallbackAdapter: false,
};

/** As lavapipe 25.0.7 and SwiftShader describe themselves. */
const lavapipe = {
  vendor: 'mesa',
  architecture: 'software',
  device: 'llvmpipe-llvm-15-0-6-256-bits-',
  description: 'llvmpipe: Mesa 25.0.7',
  isFallbackAdapter: true,
};
const swiftshader = { ...lavapipe, vendor: 'google', architecture: 'swiftshader', device: '', description: '' };

describe('askWebgpu', () => {
  it('tells a GPU from a software adapter', async () => {
    const { sightings, detail } = await askWebgpu(async () => [adapter, lavapipe], never);
    expect(sightings.map(({ class: kind, name, vendor }) => [kind, name, vendor])).toEqual([
      ['gpu', 'NVIDIA H200', 'nvidia'],
      ['software', 'llvmpipe: Mesa 25.0.7', 'other'],
    ]);
    expect(detail).toBe('2 adapters, 1 of them software');
  });

  it('knows software by its name even where it denies to be a fallback', async () => {
    const denied = [lavapipe, swiftshader, { ...adapter, description: 'Microsoft Basic Render Driver' }];
    const { sightings } = await askWebgpu(
      async () => denied.map((one) => ({ ...one, isFallbackAdapter: false })),
      never,
    );
    expect(sightings.map((sighting) => sighting.class)).toEqual(['software', 'software', 'software']);
  });

  it('takes a fallback adapter for software whatever it is called', async () => {
    const { sightings } = await askWebgpu(async () => [{ ...adapter, isFallbackAdapter: true }], never);
    expect(sightings[0]?.class).toBe('software');
  });

  it('tells not asked from no adapter', async () => {
    expect(await askWebgpu(undefined, never)).toMatchObject({ outcome: 'not measured' });
    expect(await askWebgpu(async () => [], never)).toMatchObject({ outcome: 'answered', detail: '0 adapters' });
  });

  it('does not take texts without bounds', async () => {
    const long = { ...adapter, description: 'x'.repeat(10_000) };
    expect(await askWebgpu(async () => [long], never)).toMatchObject({ outcome: 'not measured', sightings: [] });
  });
});
