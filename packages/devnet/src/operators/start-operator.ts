import { execPath } from 'node:process';
import type { DevnetContext } from '../devnet-context.ts';
import { type AgentReady, agentReadySchema, updateProcess } from '../devnet-state.ts';
import { findReadyLine } from '../processes/program-lines.ts';
import { programPath } from '../processes/program-path.ts';
import { startProcess } from '../processes/start-process.ts';

const READY_WITHIN_MS = 120_000;

/**
 * Starts the agent of an operator whose settings have been written. It stakes and joins on chain by itself, and is ready
 * when its ask is with the books.
 * @throws LatentError DEVNET_FAILED
 */
export async function startOperator({ paths, clock, signal }: DevnetContext, name: string): Promise<AgentReady> {
  const { dataDir, config } = paths.operator(name);
  const { ready } = await startProcess(
    {
      name,
      file: execPath,
      argv: [programPath('@latent/agent'), '--config', config],
      cwd: dataDir,
      logDir: paths.logs,
    },
    {
      isReady: (printed) => findReadyLine(printed, agentReadySchema),
      readyWithinMs: READY_WITHIN_MS,
      onSpawned: (identity) => updateProcess(paths.dataDir, name, { identity }),
      clock,
      signal,
    },
  );
  updateProcess(paths.dataDir, name, { agent: ready });
  return ready;
}
