import { join } from 'node:path';
import { isRunning } from '@latent/kit';
import { type Deployment, deploymentSchema, LatentError } from '@latent/protocol';
import { devnetPaths } from './devnet-paths.ts';
import { type AgentReady, type DevnetState, type ProcessKind, readDevnetState } from './devnet-state.ts';
import { readJsonFile } from './files/read-json-file.ts';
import { type OperatorPlan, planNetwork } from './network-plan.ts';

/** A local network, as other programs use it. */
export interface Devnet {
  readonly dataDir: string;
  readonly seed: string;
  readonly deployment: Deployment;
  readonly deploymentFile: string;
  /** URLs. */
  readonly books: readonly string[];
  /** 32 bytes: the private key of a renter with ether and test dollars. */
  readonly renterKeyFile: string;
  /** `none`: this machine has no working bubblewrap, so that orders have to accept machines without isolation. */
  readonly isolation: DevnetState['isolation'];
  readonly operators: readonly DevnetOperator[];
  readonly processes: readonly DevnetProcess[];
}

export interface DevnetOperator extends OperatorPlan, AgentReady {
  /** Settings of its agent. */
  readonly configFile: string;
  readonly dataDir: string;
}

export interface DevnetProcess {
  readonly name: string;
  readonly kind: ProcessKind;
  /** null when it is not started. */
  readonly pid: number | null;
  readonly alive: boolean;
  /** What it printed to standard error. */
  readonly log: string;
}

/**
 * The processes of the network in a folder, each with whether it is alive: now, not when it was started.
 * @throws LatentError DEVNET_NOT_RUNNING if none is
 */
export function devnetStatus(dataDir: string): readonly DevnetProcess[] {
  const state = readDevnetState(dataDir);
  const processes = state === undefined ? [] : processesOf(dataDir, state);
  if (!processes.some(({ alive }) => alive)) throw notRunning(dataDir);
  return processes;
}

/**
 * The network that runs in a folder.
 * @throws LatentError DEVNET_NOT_RUNNING, also when it was not started to its end
 */
export function readDevnet(dataDir: string): Devnet {
  const state = readDevnetState(dataDir);
  const paths = devnetPaths(dataDir);
  const deployment = readJsonFile(paths.deployment, deploymentSchema);
  if (state === undefined || deployment === undefined) throw notRunning(dataDir);
  const processes = processesOf(dataDir, state);
  const agents = new Map(state.processes.map(({ name, agent }) => [name, agent]));
  const operators = planNetwork(state.settings.seed, state.settings.operators).operators.flatMap((plan) => {
    const agent = agents.get(plan.name) ?? null;
    const { config: configFile, dataDir: folder } = paths.operator(plan.name);
    return agent === null ? [] : [{ ...plan, ...agent, configFile, dataDir: folder }];
  });
  if (!processes.some(({ alive }) => alive) || operators.length < state.settings.operators) throw notRunning(dataDir);
  return {
    dataDir,
    seed: state.settings.seed,
    deployment,
    deploymentFile: paths.deployment,
    books: state.processes.flatMap(({ kind, url }) => (kind === 'book' && url !== null ? [url] : [])),
    renterKeyFile: paths.renterKey,
    isolation: state.isolation,
    operators,
    processes,
  };
}

export function processesOf(dataDir: string, { processes }: DevnetState): readonly DevnetProcess[] {
  return processes.map(({ name, kind, identity }) => ({
    name,
    kind,
    pid: identity?.pid ?? null,
    alive: identity !== null && isRunning(identity),
    log: join(devnetPaths(dataDir).logs, `${name}.log`),
  }));
}

export function notRunning(dataDir: string): LatentError {
  return new LatentError('DEVNET_NOT_RUNNING', `No local network is up in ${dataDir}.`, {
    hint: 'Start one with `latent devnet up`.',
    details: { dataDir },
  });
}
