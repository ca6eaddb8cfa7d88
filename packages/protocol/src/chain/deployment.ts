import { z } from 'zod';
import { addressSchema } from '../ids.ts';

/** Where Latent lives on one chain. Written by the deployment, read by every part. */
export const deploymentSchema = z.object({
  chainId: z.int().min(1),
  rpcUrl: z.url().max(500),
  token: addressSchema,
  escrow: addressSchema,
  operators: addressSchema,
  deployedAtBlock: z.string().regex(/^\d{1,20}$/),
});
export type Deployment = z.infer<typeof deploymentSchema>;
