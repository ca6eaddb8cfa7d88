export type { Roster } from '@latent/protocol';
export { createEndpointsClient } from './endpoints/chain-client.ts';
export type { BlockHeader, RawLog, Receipt } from './endpoints/chain-shapes.ts';
export type {
  AgreedLogs,
  Broadcast,
  Endpoint,
  EndpointHealth,
  Endpoints,
  EndpointsDependencies,
  EndpointsOptions,
  LogFilter,
  LogRange,
} from './endpoints/endpoints.ts';
export { openEndpoints } from './endpoints/open-endpoints.ts';
export type {
  ChainEvent,
  ChainHead,
  ChainNotice,
  Consumer,
  FollowedLease,
  Follower,
  FollowerOptions,
  FollowerStatus,
  LeaseChange,
  LeaseLogEntry,
  View,
} from './follower/follower.ts';
export { followerMigrations } from './follower/follower-schema.ts';
export { openFollower } from './follower/open-follower.ts';
export { openSender } from './sender/open-sender.ts';
export type {
  Sender,
  SenderOptions,
  SenderStatus,
  SendOptions,
  SendOutcome,
  SendState,
  SentRecord,
} from './sender/sender.ts';
export { senderMigrations } from './sender/sender-schema.ts';
