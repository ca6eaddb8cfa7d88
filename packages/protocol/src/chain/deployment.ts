import { z } from 'zod';
import { addressSchema, hex32Schema } from '../ids.ts';

/** Where Latent lives on one chain. Written by the deployment, read by every part. */
export const deploymentSchema = z.object({
  chainId: z.int().min(1),
  rpcUrl: z.url().max(500),
  token: addressSchema,
  escrow: addressSchema,
  operators: addressSchema,
  deployedAtBlock: z.string().regex(/^\d{1,20}$/),
  /** The second half of the escrow's code. */
  extension: addressSchema.exactOptional(),
  /** The zero address where the chain has none. */
  permit2: addressSchema.exactOptional(),
  /** What the contracts were made with, for ever. */
  terms: z
    .object({
      treasury: addressSchema,
      /** 1/10,000 of what operators are paid. */
      feeBps: z.int().min(0).max(50),
      /** Base units of the stablecoin. */
      stakePerAgent: z.string().regex(/^\d{1,39}$/),
    })
    .exactOptional(),
  /** keccak256 of the code at each address, when it was deployed. */
  codeHashes: z.object({ operators: hex32Schema, extension: hex32Schema, escrow: hex32Schema }).exactOptional(),
});
export type Deployment = z.infer<typeof deploymentSchema>;
