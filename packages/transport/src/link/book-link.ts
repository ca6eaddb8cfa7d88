import {
  type BookLinkMessage,
  bookLinkMessageSchema,
  type Discovery,
  decodeRelayFrame,
  type ErrorCode,
  FIRST_BOOK_CHANNEL,
  isErrorCode,
  LatentError,
  linkHelloText,
  MAX_LINK_MESSAGE_BYTES,
  PEER_LINK_PATH,
  type PeerKey,
  type PeerLinkMessage,
} from '@latent/protocol';
import { hexOfBytes } from '../hex.ts';
import { type KeyPair, sign } from '../key-pair.ts';
import type { LinkSocket, OpenLinkSocket } from './link-socket.ts';
import type { RelayPayer, RelayPayment, RelayWord } from './relay-payer.ts';
import { RelayedBytes } from './relayed-bytes.ts';

/** A book that is there answers sooner, over any line. */
const CHECK_TIMEOUT_MS = 2_000;

/** What one side tells the other in an introduction. */
export interface Meeting {
  readonly addresses: readonly string[];
  readonly streamId: number;
}

/** The number stands for no stream where there is no UDP. */
export const WITHOUT_UDP: Meeting = { addresses: [], streamId: 1 };

export interface Introduction extends Meeting {
  readonly from: PeerKey;
  readonly token: string;
  readonly channel: LinkChannel;
  /** Length of the message that the book passed on: what a stranger may have us send because of it. */
  readonly messageBytes: number;
}

/** One side of an introduction: what is relayed, and what the other side answers. */
export interface LinkChannel {
  readonly bytes: RelayedBytes;
  /** The peer's answer. Rejects when the channel is closed before. */
  readonly answered: Promise<Meeting>;
  answer(meeting: Meeting): void;
}

export interface BookLinkOptions {
  /** Of the book, as it stands in hints. */
  readonly bookUrl: string;
  readonly keyPair: KeyPair;
  readonly openSocket: OpenLinkSocket;
  /** Others may be introduced. Missing: they may not. */
  readonly onIntroduction?: (introduction: Introduction) => void;
  readonly payer?: RelayPayer | undefined;
  /** The link ended. Called once. */
  readonly onEnded?: (reason: LatentError) => void;
}

export interface Welcome {
  /** The IP address that the book sees this link come from. */
  readonly observed: string;
  readonly freeRelayBytes: number;
  readonly discovery: Discovery | undefined;
}

/** A peer's link to a book. */
export interface BookLink {
  readonly bookUrl: string;
  /** Rejects when the link ends before. @throws LatentError BOOK_UNREACHABLE, NOT_ALLOWED */
  readonly ready: Promise<Welcome>;
  /** Known a message before the welcome: discovery and introductions go on meanwhile. */
  readonly challenged: Promise<Discovery | undefined>;
  readonly isOpen: boolean;
  /** Channels that are open. */
  readonly channels: number;
  /** From the challenge on: the book reads it behind our hello, if that was good. */
  introduce(to: PeerKey, token: string, meeting: Meeting): LinkChannel;
  /** Says something on payment; nothing while the link is not open. */
  pay(payment: RelayPayment): void;
  /** There is reason to doubt the link: it ends unless the book shows soon that it is there. */
  check(): void;
  close(): void;
}

/** Opens a link to a book and proves our key there. Never throws; `ready` tells how it went. */
export function openBookLink(options: BookLinkOptions): BookLink {
  return new OpenedLink(options);
}

class OpenedLink implements BookLink {
  readonly bookUrl: string;
  readonly #options: BookLinkOptions;
  readonly #socket: LinkSocket;
  readonly #channels = new Map<number, OpenChannel>();
  readonly #welcome = Promise.withResolvers<Welcome>();
  readonly #challenged = Promise.withResolvers<Discovery | undefined>();
  #discovery: Discovery | undefined;
  #state: LinkState = 'opening';
  #lastChannel = 0;
  #refusal: LatentError | undefined;

  constructor(options: BookLinkOptions) {
    const { bookUrl } = options;
    this.bookUrl = bookUrl;
    this.#options = options;
    this.#welcome.promise.catch(() => undefined);
    this.#challenged.promise.catch(() => undefined);
    this.#socket = options.openSocket(linkUrl(bookUrl), {
      onOpen: () => undefined,
      onText: (text) => {
        if (this.#state === 'ended') return;
        const message = text.length > MAX_LINK_MESSAGE_BYTES ? undefined : parseMessage(text);
        if (message !== undefined && due[this.#state].includes(message.kind)) this.#obey(message, text.length);
        else this.#end(disordered(bookUrl));
      },
      onBytes: (bytes) => {
        const frame = decodeRelayFrame(bytes);
        if (frame === undefined) return;
        this.#count(frame.channel, bytes.byteLength);
        // A channel that was just closed may still be sent to.
        this.#channels.get(frame.channel)?.bytes.receive(frame.payload);
      },
      onClosed: (reason) => {
        const text = `The link to ${bookUrl} ended: ${reason.slice(0, 200)}.`;
        this.#end(this.#refusal ?? new LatentError('BOOK_UNREACHABLE', text, { details: { book: bookUrl } }));
      },
    });
  }

  get ready(): Promise<Welcome> {
    return this.#welcome.promise;
  }

  get challenged(): Promise<Discovery | undefined> {
    return this.#challenged.promise;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get channels(): number {
    return this.#channels.size;
  }

  introduce(to: PeerKey, token: string, { addresses, streamId }: Meeting): LinkChannel {
    this.#lastChannel = (this.#lastChannel % (FIRST_BOOK_CHANNEL - 1)) + 1;
    const number = this.#lastChannel;
    const channel = this.#openChannel(number);
    if (this.#state === 'open' || this.#state === 'challenged') {
      this.#send({ kind: 'introduce', channel: number, to, token, addresses: [...addresses], streamId });
    } else {
      this.#channels.delete(number);
      channel.gone(new LatentError('BOOK_UNREACHABLE', `There is no link to ${this.bookUrl}.`));
    }
    return channel;
  }

  pay(payment: RelayPayment): void {
    if (this.#state === 'open') this.#send(payment);
  }

  check(): void {
    if (this.#state === 'open') this.#socket.check?.(CHECK_TIMEOUT_MS);
  }

  close(): void {
    this.#end(new LatentError('CANCELLED', 'The link was closed here.'));
  }

  #end(reason: LatentError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#socket.close();
    this.#welcome.reject(reason);
    this.#challenged.reject(reason);
    for (const channel of [...this.#channels.values()]) channel.gone(reason);
    this.#channels.clear();
    this.#options.onEnded?.(reason);
  }

  #send(message: PeerLinkMessage): void {
    if (this.#state !== 'ended') this.#socket.sendText(JSON.stringify(message, withDecimals));
  }

  /** What goes over channels that the peer opened is the peer's to pay. */
  #count(channel: number, bytes: number): void {
    if (channel < FIRST_BOOK_CHANNEL) this.#options.payer?.onRelayed(this.bookUrl, bytes);
  }

  #word(word: RelayWord): void {
    this.#options.payer?.onWord?.(this.bookUrl, word);
  }

  #openChannel(number: number): OpenChannel {
    // The number may have been given to another channel since.
    const isOpen = () => this.#channels.get(number) === channel;
    const channel = createChannel(number, {
      send: (frame, sent) => {
        if (this.#state === 'ended') return sent();
        this.#count(number, frame.byteLength);
        this.#socket.sendBytes(frame, sent);
      },
      answer: ({ addresses, streamId }) => {
        if (isOpen()) this.#send({ kind: 'answer', channel: number, addresses: [...addresses], streamId });
      },
      onClosed: () => {
        if (!isOpen()) return;
        this.#channels.delete(number);
        this.#send({ kind: 'close', channel: number });
      },
    });
    this.#channels.set(number, channel);
    return channel;
  }

  #obey(message: BookLinkMessage, messageBytes: number): void {
    switch (message.kind) {
      case 'challenge':
        this.#prove(message.challenge, message.discovery);
        return;
      case 'welcome': {
        const { observed, freeRelayBytes } = message;
        this.#state = 'open';
        this.#welcome.resolve({ observed, freeRelayBytes, discovery: this.#discovery });
        this.#word({ kind: 'linked', freeRelayBytes });
        return;
      }
      case 'introduction': {
        const { channel, from, token, addresses, streamId } = message;
        const { onIntroduction } = this.#options;
        if (channel < FIRST_BOOK_CHANNEL || this.#channels.has(channel) || onIntroduction === undefined) {
          this.#end(disordered(this.bookUrl));
          return;
        }
        onIntroduction({ from, token, addresses, streamId, channel: this.#openChannel(channel), messageBytes });
        return;
      }
      case 'answer':
        this.#channels.get(message.channel)?.hearAnswer({ addresses: message.addresses, streamId: message.streamId });
        return;
      case 'closed': {
        const channel = this.#channels.get(message.channel);
        this.#channels.delete(message.channel);
        channel?.gone(toLinkError(message.code, message.message));
        if (message.code === 'RELAY_QUOTA') this.#word({ kind: 'cut' });
        return;
      }
      case 'refused':
        this.#refusal = toLinkError(message.code, message.message);
        return;
      case 'allowance':
      case 'relayed':
      case 'unpaid':
      case 'claimed':
        this.#word(message);
        return;
      default:
        message satisfies never;
    }
  }

  #prove(challenge: string, discovery: Discovery | undefined): void {
    const { keyPair, onIntroduction, payer } = this.#options;
    this.#state = 'challenged';
    this.#discovery = discovery;
    this.#challenged.resolve(discovery);
    const signature = sign(keyPair, linkHelloText(this.bookUrl, challenge, keyPair.key));
    const accepts = onIntroduction !== undefined;
    const pays = payer?.onWord === undefined ? {} : { pays: true };
    this.#send({ kind: 'hello', key: keyPair.key, signature: `0x${hexOfBytes(signature)}`, accepts, ...pays });
  }
}

type LinkState = 'opening' | 'challenged' | 'open' | 'ended';
/** What a book may say when. Anything else ends the link: a second challenge would have us sign without end. */
const due: Readonly<Record<Exclude<LinkState, 'ended'>, readonly BookLinkMessage['kind'][]>> = {
  opening: ['challenge', 'refused'],
  challenged: ['welcome', 'refused'],
  open: ['introduction', 'answer', 'closed', 'refused', 'allowance', 'relayed', 'unpaid', 'claimed'],
};

function disordered(bookUrl: string): LatentError {
  return new LatentError('MESSAGE_INVALID', `${bookUrl} sent what no book sends, or not then.`);
}

interface OpenChannel extends LinkChannel {
  hearAnswer(meeting: Meeting): void;
  gone(reason: LatentError): void;
}

interface ChannelParts {
  readonly send: (frame: Uint8Array, sent: () => void) => void;
  readonly answer: (meeting: Meeting) => void;
  readonly onClosed: () => void;
}

function createChannel(number: number, { send, answer, onClosed }: ChannelParts): OpenChannel {
  const { promise, resolve, reject } = Promise.withResolvers<Meeting>();
  promise.catch(() => undefined);
  const bytes = new RelayedBytes({
    channel: number,
    send,
    onClosed: () => {
      reject(new LatentError('CANCELLED', 'The channel was closed here.'));
      onClosed();
    },
  });
  // Whoever reads the stream hears of its end; before that nobody has to.
  bytes.on('error', () => undefined);
  return {
    bytes,
    answered: promise,
    answer,
    hearAnswer: resolve,
    gone: (reason) => {
      reject(reason);
      bytes.gone(reason);
    },
  };
}

/** `http://book.example` → `ws://book.example/v1/peers` */
function linkUrl(bookUrl: string): string {
  const url = new URL(PEER_LINK_PATH, bookUrl);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

function parseMessage(text: string): BookLinkMessage | undefined {
  try {
    const parsed = bookLinkMessageSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not JSON: the same as what does not fit the schema.
    return undefined;
  }
}

/** Amounts travel as decimal strings. */
function withDecimals(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

/** A book speaks for itself only: that a peer proved a wrong key, for one, is nothing it could know. */
const wordsOfBooks: ReadonlySet<string> = new Set<ErrorCode>([
  'PEER_ABSENT',
  'RELAY_QUOTA',
  'RELAY_OVERFLOW',
  'STREAM_CLOSED',
  'NOT_ALLOWED',
  'BOOK_RATE_LIMITED',
  'MESSAGE_INVALID',
  'MESSAGE_TOO_LARGE',
]);

function toLinkError(code: string, message: string): LatentError {
  const known = isErrorCode(code) && wordsOfBooks.has(code) ? code : 'BOOK_UNREACHABLE';
  return new LatentError(known, `The book says: ${message}`);
}
