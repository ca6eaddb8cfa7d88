import { z } from 'zod';
import { hex32Schema, leaseIdSchema, peerKeySchema, signatureSchema, uintSchema } from '../ids.ts';
import { signedCloseSchema } from '../messages/agreement.ts';
import { leaseTermsSchema } from '../messages/order.ts';
import { signedVoucherSchema } from '../messages/voucher.ts';

/**
 * The WebSocket `GET /v1/peers` of a book, by which peers find each other: each proves its key once, is introduced to others,
 * and exchanges with them what no direct path carries. Text is JSON of these schemas, bytes are relayed (`relay-frame.ts`).
 * The book sees who talks to whom, when and how much; what is relayed is encrypted between the peers.
 */
export const PEER_LINK_PATH = '/v1/peers';
/** Longest text message on a link, either way, in bytes. */
export const MAX_LINK_MESSAGE_BYTES = 8 * 1024;

/** Most addresses that one side names in an introduction. */
export const MAX_ADDRESSES = 12;

/** `203.0.113.7:4433` or `[2001:db8::7]:4433`. Where a peer's UDP socket may be reached; never believed, only tried. */
export const udpAddressSchema = z
  .string()
  .max(56)
  .regex(/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]{2,45}\]):[1-9]\d{0,4}$/, 'not an IP address and port');

const MAX_CHANNEL = 2 ** 32 - 1;
/** Channels that a peer opened are numbered by it, below this; those opened to it are numbered by the book, from this on. */
export const FIRST_BOOK_CHANNEL = 2 ** 31;
const channelSchema = z.int().min(1).max(MAX_CHANNEL);
const ownChannelSchema = z
  .int()
  .min(1)
  .max(FIRST_BOOK_CHANNEL - 1);

/** Random, of the introducing side. Marks the probes of both sides, so that they know each other's. */
export const punchTokenSchema = z.string().regex(/^[0-9a-f]{32}$/, 'not 16 bytes of hex');

/** What each side tells the other of itself: where its UDP socket may be reached, and its number of the stream to come. */
const meetingShape = {
  addresses: z.array(udpAddressSchema).max(MAX_ADDRESSES),
  /** The number of the sender's UDX stream. */
  streamId: z.int().min(1).max(MAX_CHANNEL),
};

/** Where a book tells peers the address it sees them at: two UDP ports, so that a NAT which maps each differently shows. */
const discoverySchema = z.object({
  /** Missing: the host of the book's URL. */
  host: z.string().max(253).optional(),
  ports: z.tuple([z.int().min(1).max(65_535), z.int().min(1).max(65_535)]),
});
export type Discovery = z.infer<typeof discoverySchema>;

/** Book → peer. `challenge` first, `welcome` after a good hello. */
export const bookLinkMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('challenge'), challenge: hex32Schema, discovery: discoverySchema.optional() }),
  z.object({
    kind: z.literal('welcome'),
    /** The IP address this link comes from, as the book sees it. */
    observed: z.string().max(64),
    /** Bytes that will still be relayed today without payment on channels that this peer opens, both ways together. */
    freeRelayBytes: z.number().min(0),
  }),
  /** A peer wants to connect: to be answered on `channel`, which relays from now on. */
  z.object({
    kind: z.literal('introduction'),
    channel: channelSchema,
    from: peerKeySchema,
    token: punchTokenSchema,
    ...meetingShape,
  }),
  z.object({ kind: z.literal('answer'), channel: channelSchema, ...meetingShape }),
  /** The channel is gone: the other side closed it or went away, or the book will not carry it. */
  z.object({
    kind: z.literal('closed'),
    channel: channelSchema,
    code: z.string().max(64),
    message: z.string().max(500),
  }),
  z.object({
    kind: z.literal('refused'),
    code: z.string().max(64),
    message: z.string().max(500),
  }),
  // The words on payment that follow are for peers whose hello says that they pay.
  /** Little is left that is relayed without payment. Told once on a link; that nothing is left, a closed channel tells. */
  z.object({ kind: z.literal('allowance'), freeRelayBytes: z.number().min(0) }),
  /** What was relayed for a lease up to now, and the units of the voucher that the book holds. */
  z.object({
    kind: z.literal('relayed'),
    leaseId: leaseIdSchema,
    usedBytes: z.int().min(0),
    coveredUnits: uintSchema(96),
  }),
  /** The lease, or its voucher, was not taken; or nothing more is relayed for it. */
  z.object({
    kind: z.literal('unpaid'),
    leaseId: leaseIdSchema,
    code: z.string().max(64),
    message: z.string().max(500),
  }),
  /** The book is done with the lease, and claims so much. */
  z.object({ kind: z.literal('claimed'), claim: signedCloseSchema }),
]);
export type BookLinkMessage = z.infer<typeof bookLinkMessageSchema>;

/** Peer → book. `hello` first. */
export const peerLinkMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('hello'),
    key: peerKeySchema,
    /** Ed25519 over {@link linkHelloText}. */
    signature: z.string().regex(/^0x[0-9a-f]{128}$/, 'not 64 bytes of hex'),
    /** Others may be introduced to this peer. An older link of the same key that accepts too is dropped then. */
    accepts: z.boolean(),
    /** This peer may pay for what is relayed, and wants to hear what is left without. */
    pays: z.boolean().optional(),
  }),
  /** Introduce me to `to`. `channel` is mine to choose, unused on this link; it relays from this message on. */
  z.object({
    kind: z.literal('introduce'),
    channel: ownChannelSchema,
    to: peerKeySchema,
    token: punchTokenSchema,
    ...meetingShape,
  }),
  z.object({ kind: z.literal('answer'), channel: channelSchema, ...meetingShape }),
  z.object({ kind: z.literal('close'), channel: channelSchema }),
  /**
   * Presents an open lease that pays for what is relayed on channels of this peer's key, with its newest voucher. Repeated for each
   * voucher, and on each link. `signature` is an `Attach` of the lease's meter key for this peer's key.
   */
  z.object({
    kind: z.literal('pay'),
    terms: leaseTermsSchema,
    signature: signatureSchema,
    voucher: signedVoucherSchema,
  }),
  /** End the lease's part here, and say what is claimed for it. Repeatable. */
  z.object({ kind: z.literal('claim'), leaseId: leaseIdSchema }),
]);
export type PeerLinkMessage = z.infer<typeof peerLinkMessageSchema>;

/**
 * What a peer signs to prove its key on a link: bound to the book and to this very link.
 * @param bookUrl as the peer dialled it; only its origin counts
 */
export function linkHelloText(bookUrl: string, challenge: string, key: string): string {
  return `latent peer link 1\n${new URL(bookUrl).origin}\n${challenge}\n${key}`;
}
