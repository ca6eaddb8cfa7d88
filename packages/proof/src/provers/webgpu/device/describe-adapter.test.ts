import { describe, expect, it } from 'vitest';
import { describeAdapter, isSoftware } from './describe-adapter.ts';

const info = { vendor: 'nvidia', architecture: 'ada', device: '', description: '', isFallbackAdapter: false };

describe('describeAdapter', () => {
  it('takes the description, or what else is not empty', () => {
    expect(describeAdapter({ ...info, description: 'A device' })).toBe('A device');
    expect(describeAdapter(info)).toBe('nvidia ada');
    expect(describeAdapter({ vendor: '', architecture: '', device: '', description: '' })).toBe('unnamed device');
  });
});

describe('isSoftware', () => {
  it.each([
    [{ ...info, isFallbackAdapter: true }],
    [{ ...info, architecture: 'software' }],
    [{ ...info, architecture: 'swiftshader' }],
    [{ ...info, description: 'llvmpipe: Mesa 25' }],
    [{ ...info, device: 'SwiftShader Device (Subzero)' }],
    [{ ...info, description: 'Microsoft Basic Render Driver' }],
  ])('knows a processor that pretends: %o', (pretender) => {
    expect(isSoftware(pretender)).toBe(true);
  });

  it('takes others for what they say', () => {
    expect(isSoftware(info)).toBe(false);
    expect(isSoftware({ ...info, description: 'Warped Devices 3000' })).toBe(false);
  });
});
