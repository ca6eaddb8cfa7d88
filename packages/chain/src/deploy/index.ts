export { connectDeployer, type DeployChain } from './connect-deployer.ts';
export { type Creation, creationsOf, type DeploymentTerms } from './creations.ts';
export { type DeployOptions, deployContracts } from './deploy-contracts.ts';
export { isKnownToAll, LOCAL_CHAIN_ID } from './known-keys.ts';
export { type DeploymentPlan, type PlanOptions, planDeployment } from './plan-deployment.ts';
export { type DeploymentAudit, type FoundDeployment, verifyDeployment } from './verify-deployment.ts';
