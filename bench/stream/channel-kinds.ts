import { z } from 'zod';

/** What is measured side by side. */
export const channelKinds = ['latent', 'tls', 'tcp'] as const;
export type ChannelKind = (typeof channelKinds)[number];

/** What both ends of a channel have to know, decided by the end that connects. */
export const channelSetupSchema = z.object({
  kind: z.enum(channelKinds),
  /** 32 bytes as hex: seed of the listening end's key, or the key that both ends of TLS share. */
  secret: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ChannelSetup = z.infer<typeof channelSetupSchema>;

/** What the listening end tells. */
export const receiverNoteSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready'), port: z.int() }),
  z.object({ kind: z.literal('received'), bytes: z.int() }),
]);
export type ReceiverNote = z.infer<typeof receiverNoteSchema>;

/**
 * TLS without certificates, by a key that both ends have: Node has no means to make a certificate. A fresh Diffie-Hellman
 * exchange as in Noise, and the cipher that Noise uses here. Node takes shared keys for TLS 1.2 only.
 */
export const TLS_OPTIONS = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;
export const TLS_IDENTITY = 'bench';
