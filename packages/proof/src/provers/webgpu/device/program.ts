import { LatentError } from '@latent/protocol';
import { BUFFER_USAGE } from './buffers.ts';
import type { OpenDevice } from './open-device.ts';

/** Bytes that each dispatch's parameters take: the least alignment that every device grants. */
export const SLOT_BYTES = 256;

/** Dispatches whose parameters are held at a time. */
export const SLOTS = 1024;

/** A compiled shader. */
export interface Program {
  readonly pipeline: GPUComputePipeline;
  /** Ties buffers to it, in the order of its bindings. */
  readonly bind: (...buffers: readonly (GPUBuffer | GPUBufferBinding)[]) => GPUBindGroup;
}

/** What all programs of a device share: where a dispatch's parameters are. */
export interface Slots {
  readonly layout: GPUBindGroupLayout;
  readonly buffer: GPUBuffer;
  readonly group: GPUBindGroup;
}

const COMPUTE_STAGE = 0x4;

export function createSlots({ device }: OpenDevice): Slots {
  const layout = device.createBindGroupLayout({
    entries: [
      {
        binding: 0,
        visibility: COMPUTE_STAGE,
        buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: SLOT_BYTES },
      },
    ],
  });
  const usage = BUFFER_USAGE.uniform | BUFFER_USAGE.copyTo;
  const buffer = device.createBuffer({ label: 'parameters', size: SLOTS * SLOT_BYTES, usage });
  const resource = { buffer, size: SLOT_BYTES };
  return { layout, buffer, group: device.createBindGroup({ layout, entries: [{ binding: 0, resource }] }) };
}

/**
 * @param access of each buffer of the shader's group 1
 * @throws LatentError `INTERNAL`, the compiler's words as its cause
 */
export async function createProgram(
  { device, orLost }: OpenDevice,
  slots: Slots,
  label: string,
  code: string,
  access: readonly ('read' | 'write')[],
): Promise<Program> {
  const layout = device.createBindGroupLayout({
    label,
    entries: access.map((kind, binding) => ({
      binding,
      visibility: COMPUTE_STAGE,
      buffer: { type: kind === 'read' ? ('read-only-storage' as const) : ('storage' as const) },
    })),
  });
  const module = device.createShaderModule({ label, code });
  const pipelineLayout = device.createPipelineLayout({ label, bindGroupLayouts: [slots.layout, layout] });
  const pipeline = await orLost(
    device.createComputePipelineAsync({ label, layout: pipelineLayout, compute: { module, entryPoint: 'main' } }),
  ).catch((cause: unknown) => {
    throw new LatentError('INTERNAL', `The device’s compiler refused the shader ${label}.`, { cause });
  });
  return {
    pipeline,
    bind: (...buffers) =>
      device.createBindGroup({
        label,
        layout,
        entries: buffers.map((buffer, binding) => ({
          binding,
          resource: 'buffer' in buffer ? buffer : { buffer },
        })),
      }),
  };
}
