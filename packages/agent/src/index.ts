export type { Driver, DriverFingerprint, JobExit, JobHandle, JobSpec, JobState } from './drivers/driver.ts';
export type { DriverWish, SelectedDriver } from './drivers/select-driver.ts';
export { selectMachineDriver } from './drivers/select-machine-driver.ts';
export { openImageStore } from './images/image-store.ts';
export { findNetworkAbility } from './network/find-network-ability.ts';
export { type MemberNetwork, openMemberNetwork } from './network/member-network.ts';
export { probeNetwork } from './network/probe-network.ts';
export { type AgentOptions, type AgentOptionsInput, agentOptionsSchema } from './options.ts';
export { type RunningAgent, type StartAgentDependencies, startAgent } from './start-agent.ts';
