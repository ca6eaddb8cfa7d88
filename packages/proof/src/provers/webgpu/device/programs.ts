import { bandwidthStepSource } from '../shaders/bandwidth-step.wgsl.ts';
import { computeStepSource } from '../shaders/compute-step.wgsl.ts';
import { chunkSource, stateDigestSource } from '../shaders/digest.wgsl.ts';
import { fillSource } from '../shaders/fill.wgsl.ts';
import { inputSource } from '../shaders/input.wgsl.ts';
import type { Shape } from '../shaders/layout.ts';
import { growSource, levelSource, rootSource } from '../shaders/tree.wgsl.ts';
import type { OpenDevice } from './open-device.ts';
import { createProgram, type Program, type Slots } from './program.ts';

/** Every shader, compiled for one shape. */
export interface Programs {
  readonly fill: Program;
  readonly input: Program;
  readonly computeStep: Program;
  readonly bandwidthStep: Program;
  readonly chunks: Program;
  readonly stateDigests: Program;
  readonly grow: Program;
  readonly roots: Program;
  readonly level: Program;
}

/**
 * Compiles all of them; on software adapters that takes seconds.
 * @param compiled what was compiled on this device before, by its source: some shaders are the same for several shapes
 */
export async function createPrograms(
  open: OpenDevice,
  slots: Slots,
  shape: Shape,
  compiled: Map<string, Promise<Program>>,
): Promise<Programs> {
  const weights = Array.from({ length: shape.lanes / shape.bufferLayers }, () => 'read' as const);
  const make = (label: string, code: string, access: readonly ('read' | 'write')[]) => {
    const program = compiled.get(code) ?? createProgram(open, slots, label, code, access);
    compiled.set(code, program);
    return program;
  };
  const [fill, input, computeStep, bandwidthStep, chunks, stateDigests, grow, roots, level] = await Promise.all([
    make('fill', fillSource(shape), ['write']),
    make('input', inputSource(shape), ['read', 'read', 'write', 'write']),
    make('compute step', computeStepSource(shape), ['read', 'read', 'read', 'write']),
    make('bandwidth step', bandwidthStepSource(shape), ['read', 'write', ...weights]),
    make('chunks', chunkSource(), ['read', 'write']),
    make('state digests', stateDigestSource(shape), ['read', 'write']),
    make('grow', growSource, ['read', 'write']),
    make('roots', rootSource, ['write', 'write']),
    make('level', levelSource, ['read', 'write']),
  ]);
  return { fill, input, computeStep, bandwidthStep, chunks, stateDigests, grow, roots, level };
}
