export { type ErrorCode, errorCodes, isErrorCode, type Retry } from './errors/codes.ts';
export {
  type ErrorBody,
  type ErrorDetail,
  errorBodySchema,
  LatentError,
  type LatentErrorOptions,
  toLatentError,
} from './errors/latent-error.ts';
export {
  type AskId,
  addressSchema,
  askIdSchema,
  hex32Schema,
  type LeaseId,
  leaseIdSchema,
  type PeerKey,
  peerKeySchema,
  signatureSchema,
  uintSchema,
} from './ids.ts';
