import { describe, expect, it } from 'vitest';
import { listWebGpuAdapters } from '../open-webgpu-engine.ts';
import { adaptersIn } from './list-adapters.ts';

describe('adaptersIn', () => {
  it('finds the adapters that the library names', () => {
    const message = [
      'no suitable backends found',
      'Available adapters:',
      " * backend: 'vulkan', name: 'A device (it’s one)'",
      " * backend: 'd3d12', name: 'Another's device'",
    ].join('\n');
    expect(adaptersIn(message)).toEqual([
      { backend: 'vulkan', name: 'A device (it’s one)' },
      { backend: 'd3d12', name: "Another's device" },
    ]);
    expect(adaptersIn('something else')).toEqual([]);
  });
});

describe('listWebGpuAdapters', () => {
  it.skipIf(process.platform !== 'linux')(
    'finds none where there is no driver (on Linux, where a file names it)',
    async () => {
      expect(await listWebGpuAdapters({ VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' })).toEqual(
        [],
      );
    },
  );
});
