import type { IncomingMessage } from 'node:http';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { ImageName } from '../parse-image-name.ts';
import { isLoopbackHost, openUrl, unreachable } from './open-url.ts';
import { readBody } from './read-body.ts';

const MAX_TOKEN_BYTES = 64 * 1024;
const MAX_CHALLENGE_CHARS = 4096;

export interface RegistryOptions {
  /** Whether registries of this machine and of its own network may be asked, those at loopback by http. */
  readonly allowLocal: boolean;
  readonly idleMs?: number;
}

/** One repository of a registry, as anybody may read it (source: the OCI distribution specification 1.1). */
export interface Registry {
  readonly url: (path: string) => URL;
  /**
   * Answers 200 or 206 only; the body has to be read or destroyed.
   * @throws LatentError IMAGE_NOT_FOUND, IMAGE_UNREACHABLE, NOT_ALLOWED, CANCELLED
   */
  readonly get: (
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<IncomingMessage>;
}

/** Nothing is asked before the first `get`. */
export function openRegistry(name: ImageName, options: RegistryOptions): Registry {
  const host = name.registry.replace(/:\d+$/, '');
  const scheme = isLoopbackHost(host) ? 'http' : 'https';
  const url = (path: string) => new URL(`${scheme}://${name.registry}/v2/${name.repository}/${path}`);
  let authorization: string | undefined;
  return {
    url,
    async get(path, headers, signal) {
      const open = () => {
        const sent = authorization === undefined ? headers : { ...headers, authorization };
        return openUrl(url(path), { ...options, headers: sent, signal });
      };
      let answer = await open();
      if (answer.statusCode === 401) {
        answer.destroy();
        authorization = await freshToken(name, answer.headers['www-authenticate'], { ...options, signal });
        answer = await open();
      }
      const status = answer.statusCode ?? 0;
      if (status === 200 || status === 206) return answer;
      answer.destroy();
      throw refusal(name, url(path), status);
    },
  };
}

const tokenSchema = z.object({
  token: z.string().max(32_768).optional(),
  access_token: z.string().max(32_768).optional(),
});

/** Anonymous: a registry that wants a name and a password is as one without the image. */
async function freshToken(
  name: ImageName,
  challenge: string | undefined,
  options: RegistryOptions & { readonly signal: AbortSignal },
): Promise<string> {
  const parameters = bearerChallenge(challenge);
  const realm = URL.parse(parameters['realm'] ?? '');
  if (realm === null) throw notPublic(name);
  const service = parameters['service'];
  if (service !== undefined) realm.searchParams.set('service', service);
  realm.searchParams.set('scope', `repository:${name.repository}:pull`);
  const answer = await openUrl(realm, { ...options, headers: { accept: 'application/json' } });
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    answer.destroy();
    throw refusal(name, realm, status);
  }
  const body = await readBody(answer, { url: realm, maxBytes: MAX_TOKEN_BYTES, signal: options.signal });
  const parsed = tokenSchema.safeParse(parseJson(body));
  const token = parsed.success ? (parsed.data.token ?? parsed.data.access_token) : undefined;
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) throw unreachable(realm, 'gives no token');
  return `Bearer ${token}`;
}

/** The parameters of `WWW-Authenticate: Bearer realm="…",service="…"` (RFC 6750); none for another scheme. */
function bearerChallenge(header: string | undefined): Readonly<Record<string, string>> {
  const text = /^bearer\s+(.*)$/is.exec((header ?? '').slice(0, MAX_CHALLENGE_CHARS))?.[1] ?? '';
  const pairs = [...text.matchAll(/([a-z_]+)="([^"]*)"/gi)];
  return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key.toLowerCase(), value]));
}

function refusal(name: ImageName, url: URL, status: number): LatentError {
  if (status === 401 || status === 403) return notPublic(name);
  if (status === 404) {
    return new LatentError('IMAGE_NOT_FOUND', `The registry has no image ${name.written}.`, {
      details: { image: name.written },
      hint: 'Correct resources.image_id in the job file.',
    });
  }
  return unreachable(url, `answers with status ${status}`);
}

function notPublic(name: ImageName): LatentError {
  return new LatentError('IMAGE_NOT_FOUND', `The registry does not give ${name.written} to anybody who asks.`, {
    details: { image: name.written },
    hint: 'Make the image public: credentials for registries cannot be handed over yet. Or correct resources.image_id.',
  });
}

export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
