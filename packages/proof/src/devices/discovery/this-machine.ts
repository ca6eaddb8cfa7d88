import { execFile } from 'node:child_process';
import { arch, availableParallelism, cpus, totalmem } from 'node:os';
import type { CommandAnswer, DiscoverySystem, ProcessorFacts } from './discovery-system.ts';
import { createFileView } from './file-view.ts';
import { loadLibrary } from './native-library.ts';

/** A profiler's answer is some kilobytes; more is cut off as an error. */
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024;

/** The machine that this process runs on. */
export function thisMachine(): DiscoverySystem {
  return {
    platform: process.platform,
    files: createFileView('/'),
    loadLibrary,
    runCommand,
    processor: readProcessor,
  };
}

function readProcessor(): ProcessorFacts {
  return {
    model: cpus()[0]?.model.trim() ?? '',
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    architecture: arch(),
  };
}

function runCommand(command: string, parameters: readonly string[], signal: AbortSignal): Promise<CommandAnswer> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...parameters],
      { signal, maxBuffer: MOST_OUTPUT_BYTES, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr });
        else if (typeof error.code === 'number') resolve({ exitCode: error.code, stdout, stderr });
        else reject(error);
      },
    );
  });
}
