import { decodeDiscoveryQuestion, encodeDiscoveryAnswer } from '@latent/protocol';
import { ipBytes } from '../sockets/ip-address.ts';

/** Where a packet came from. */
export interface PacketSource {
  readonly address: string;
  readonly port: number;
}

export interface QuestionAnswered {
  /** Shorter than the question. */
  readonly answer: Uint8Array;
  /** Whether the other port is to send it. */
  readonly isFromOther: boolean;
}

/** Answers a question with the address that it came from; undefined for any other packet. */
export function answerQuestion(packet: Uint8Array, { address, port }: PacketSource): QuestionAnswered | undefined {
  const question = decodeDiscoveryQuestion(packet);
  const bytes = ipBytes(address);
  if (question === undefined || bytes === undefined || port === 0) return undefined;
  return {
    answer: encodeDiscoveryAnswer({ nonce: question.nonce, address: bytes, port }),
    isFromOther: question.kind === 'other',
  };
}
