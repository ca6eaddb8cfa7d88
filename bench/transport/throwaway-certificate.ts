import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** PEM, good for a day. */
export interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  extensions: 0xa3,
  ipAddress: 0x87,
} as const;
const VERSION_3 = Buffer.from([0xa0, 3, 2, 1, 2]);
/** 1.2.840.10045.4.3.2, 2.5.4.3 and 2.5.29.17. */
const ECDSA_WITH_SHA256 = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);
const SUBJECT_ALT_NAME = Buffer.from([0x55, 0x1d, 0x11]);
const SERIAL_BYTES = 8;
const HOUR_MS = 3_600_000;

/** A self-signed certificate of 127.0.0.1 on P-256 (RFC 5280): whoever uses it pins it. Node can read one, but not make one. */
export function makeThrowawayCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(TAG.sequence, der(TAG.objectId, ECDSA_WITH_SHA256));
  const commonName = der(TAG.sequence, der(TAG.objectId, COMMON_NAME), der(TAG.utf8, Buffer.from('bench')));
  const name = der(TAG.sequence, der(TAG.set, commonName));
  const addresses = der(TAG.octetString, der(TAG.sequence, der(TAG.ipAddress, Buffer.from([127, 0, 0, 1]))));
  const now = Date.now();
  const body = der(
    TAG.sequence,
    VERSION_3,
    // The first byte keeps the number positive and its first digit not zero.
    der(TAG.integer, Buffer.from([1]), randomBytes(SERIAL_BYTES)),
    algorithm,
    name,
    der(TAG.sequence, utcTime(now - HOUR_MS), utcTime(now + 24 * HOUR_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(TAG.extensions, der(TAG.sequence, der(TAG.sequence, der(TAG.objectId, SUBJECT_ALT_NAME), addresses))),
  );
  const signature = der(TAG.bitString, Buffer.from([0]), sign('sha256', body, privateKey));
  const base64 = der(TAG.sequence, body, algorithm, signature).toString('base64');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/(.{64})/g, '$1\n').trim()}\n-----END CERTIFICATE-----\n`,
    privateKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** A value of DER (X.690): tag, length, contents. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const contents = Buffer.concat(parts);
  const { byteLength } = contents;
  const length = byteLength < 0x80 ? [byteLength] : [0x82, byteLength >> 8, byteLength & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), contents]);
}

/** `YYMMDDhhmmssZ` */
function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[^0-9]/g, '');
  return der(TAG.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`));
}
