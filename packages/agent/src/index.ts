export type { Driver, DriverFingerprint, JobExit, JobHandle, JobSpec, JobState } from './drivers/driver.ts';
export { type AgentOptions, type AgentOptionsInput, agentOptionsSchema } from './options.ts';
export { type RunningAgent, type StartAgentDependencies, startAgent } from './start-agent.ts';
