export { type Devnet, type DevnetOperator, type DevnetProcess, devnetStatus, readDevnet } from './devnet.ts';
export type { DevnetProgress } from './devnet-context.ts';
export type { DevnetSettings, ProcessKind } from './devnet-state.ts';
export { createFaults, type DevnetFaults, type FaultOptions, type FaultSignal } from './faults.ts';
export { RENTER_DOLLARS } from './fund-network.ts';
export { type Fit, MAIN_JOB, type NetworkPlan, type OperatorPlan, planNetwork } from './network-plan.ts';
export { type StartDevnetOptions, startDevnet } from './start-devnet.ts';
export { type StopDevnetOptions, stopDevnet } from './stop-devnet.ts';
