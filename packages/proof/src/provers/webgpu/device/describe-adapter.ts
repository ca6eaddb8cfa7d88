/** What an adapter is called: whatever of its texts is not empty. Two identical devices have the same name. */
export function describeAdapter({ description, device, vendor, architecture }: Info): string {
  if (description !== '') return description;
  return [vendor, architecture, device].filter((text) => text !== '').join(' ') || 'unnamed device';
}

/** Whether a CPU only pretends to be a GPU here: lavapipe, SwiftShader, WARP. */
export function isSoftware(info: Info & Pick<GPUAdapterInfo, 'isFallbackAdapter'>): boolean {
  const { architecture, description, device, vendor, isFallbackAdapter } = info;
  if (isFallbackAdapter || architecture === 'software' || architecture === 'swiftshader') return true;
  const names = `${vendor} ${device} ${description}`;
  return /llvmpipe|lavapipe|softpipe|swiftshader|basic render|\bwarp\b/i.test(names);
}

type Info = Pick<GPUAdapterInfo, 'description' | 'device' | 'vendor' | 'architecture'>;
