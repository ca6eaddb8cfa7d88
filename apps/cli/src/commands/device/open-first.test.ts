import type { DiscoveredDevice } from '@latent/proof/devices';
import type { EngineChoice } from '@latent/proof/provers';
import { LatentError } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { openFirst } from './open-first.ts';

const device: DiscoveredDevice = {
  ...{ id: 'GPU-1', name: 'Test 9000', vendor: 'nvidia', class: 'gpu', sightings: [], contradictions: [] },
};
const cuda = { kind: 'cuda', device: 'GPU-1' } as const;
const webgpu = { kind: 'webgpu', adapter: 'Test 9000' } as const;

/** @param failures what opening throws, by kind of engine; without one an engine opens */
async function openWith(
  choices: readonly EngineChoice[],
  failures: Partial<Record<EngineChoice['kind'], LatentError>>,
) {
  const tried: string[] = [];
  const { openReferenceEngine } = await import('@latent/proof/provers');
  const openEngine = async ({ kind }: EngineChoice) => {
    tried.push(kind);
    if (failures[kind] !== undefined) throw failures[kind];
    return openReferenceEngine();
  };
  const opened = await openFirst(device, { enginesFor: () => choices, openEngine }).catch((thrown: unknown) => thrown);
  return { opened, tried };
}

const unavailable = (message: string) => new LatentError('DEVICE_UNAVAILABLE', message, { hint: 'Do this.' });

describe('openFirst', () => {
  it('opens the first way that works, and tries no other', async () => {
    expect((await openWith([cuda, webgpu], {})).tried).toEqual(['cuda']);
    const { opened, tried } = await openWith([cuda, webgpu], { cuda: unavailable('No driver.') });
    expect(tried).toEqual(['cuda', 'webgpu']);
    expect(opened).toMatchObject({ kind: 'reference' });
  });

  it('tries nothing else with a device that failed while it was opened', async () => {
    const { opened, tried } = await openWith([cuda, webgpu], { cuda: new LatentError('DEVICE_LOST', 'Gone.') });
    expect(opened).toMatchObject({ code: 'DEVICE_LOST' });
    expect(tried).toEqual(['cuda']);
  });

  it('says what to do about a device that nothing is sure to reach', async () => {
    const { opened } = await openWith([], {});
    expect(opened).toMatchObject({
      ...{ code: 'DEVICE_UNAVAILABLE', message: 'WebGPU shows no device that is sure to be Test 9000.' },
      hint: expect.stringContaining('latent device list'),
    });
  });

  it('says what to do about both where CUDA refuses and WebGPU does not show the device', async () => {
    const { opened } = await openWith([cuda], { cuda: unavailable('Too old.') });
    expect(opened).toMatchObject({
      ...{ code: 'DEVICE_UNAVAILABLE', message: expect.stringMatching(/^Too old\. WebGPU shows no device/) },
      ...{ hint: expect.stringMatching(/^Do this\. .*latent device list/), cause: { message: 'Too old.' } },
    });
  });

  it('gives the last failure as it is where WebGPU was tried', async () => {
    const failures = { cuda: unavailable('Too old.'), webgpu: unavailable('No loader.') };
    expect((await openWith([cuda, webgpu], failures)).opened).toBe(failures.webgpu);
  });
});
