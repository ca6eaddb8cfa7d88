/** First byte of what is sealed: a message of the user of the stream follows. */
export const FRAME_MESSAGE = 0;
/** The sender's side has ended; nothing follows. Sealed like the rest, so that a cut connection is no end. */
export const FRAME_END = 1;
export const FRAME_KIND_BYTES = 1;
/** A datagram: in order here, as TCP is, but never waited for. */
export const FRAME_DATAGRAM = 2;
