/** Where a hint leads. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A host name has at most 253 characters. */
const MAX_HINT_CHARS = 300;
const HINT = /^tcp:\/\/(?:\[(?<address>[0-9a-f:.]+)\]|(?<host>[a-z0-9.-]+)):(?<port>[1-9]\d{0,4})$/i;

/** Reads `tcp://host:port`; IPv6 in brackets. Undefined for anything else, which other transports may understand. */
export function parseHint(hint: string): Endpoint | undefined {
  const parts = hint.length > MAX_HINT_CHARS ? undefined : HINT.exec(hint)?.groups;
  const host = parts?.['address'] ?? parts?.['host'];
  const port = Number(parts?.['port']);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** The hint that {@link parseHint} reads back. */
export function formatHint(endpoint: Endpoint): string {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `tcp://${host}:${endpoint.port}`;
}
