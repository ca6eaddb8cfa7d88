import { type FileHandle, open, rm } from 'node:fs/promises';
import type { CommandInput } from './enclosure.ts';

/** Opens the inputs in their order. What was opened before one failed is closed again. */
export async function openInputs(inputs: readonly CommandInput[]): Promise<readonly FileHandle[]> {
  const opened: FileHandle[] = [];
  try {
    for (const input of inputs) {
      opened.push(await open(input.path, 'r'));
      if (input.once === true) await rm(input.path);
    }
    return opened;
  } catch (error) {
    await closeInputs(opened);
    throw error;
  }
}

export async function closeInputs(opened: readonly FileHandle[]): Promise<void> {
  await Promise.all(opened.map((file) => file.close()));
}
