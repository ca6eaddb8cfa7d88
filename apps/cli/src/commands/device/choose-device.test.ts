import type { DiscoveredDevice } from '@latent/proof/devices';
import { describe, expect, it } from 'vitest';
import { chooseDevice } from './choose-device.ts';

const device = (id: string, name: string, kind: DiscoveredDevice['class']): DiscoveredDevice => ({
  ...{ id, name, class: kind, vendor: 'other', sightings: [], contradictions: [] },
});
const devices = [
  device('GPU-1', 'NVIDIA H200', 'gpu'),
  device('GPU-12', 'NVIDIA H200', 'gpu'),
  device('cpu', 'AMD EPYC', 'cpu'),
  device('webgpu:SwiftShader', 'SwiftShader Device', 'software'),
];

describe('chooseDevice', () => {
  it('takes the first when none is wanted, and never a software device by itself', () => {
    expect(chooseDevice(devices, undefined).id).toBe('GPU-1');
    expect(() => chooseDevice(devices.slice(3), undefined)).toThrow(
      expect.objectContaining({ code: 'DEVICE_UNKNOWN' }),
    );
  });

  it.each([
    ['GPU-1', 'GPU-1'],
    ['gpu-12', 'GPU-12'],
    ['epyc', 'cpu'],
    ['swift', 'webgpu:SwiftShader'],
  ])('takes %s for the device %s', (wanted, id) => {
    expect(chooseDevice(devices, wanted).id).toBe(id);
  });

  it.each(['H200', 'RTX', ''])('refuses "%s", and says what there is', (wanted) => {
    expect(() => chooseDevice(devices, wanted)).toThrow(
      expect.objectContaining({ code: 'DEVICE_UNKNOWN', hint: expect.stringContaining('GPU-12 (NVIDIA H200)') }),
    );
  });
});
