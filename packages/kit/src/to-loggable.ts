const SECRET_NAME =
  /secret|password|passphrase|mnemonic|private_?key|api_?key|credential|authorization|cookie|(^|_|[a-z])seed$|(access|auth|bearer|refresh|session)_?token/i;
export const MASK = '[secret]';

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_CHARS = 4000;

/** Whether a value of this name is a secret: `secretKey`, `PRIVATE_KEY`, `apiKey`, `password`, … */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * A copy of fields that is safe to write as JSON: values named like a secret masked at any depth, integers beyond JSON's
 * as decimal strings, errors with their causes, bytes only by their number, and all of it cut to a size that fits a log.
 */
export function toLoggable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return copyEntries(Object.entries(fields), 0);
}

function copyEntries(entries: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  return Object.fromEntries(
    entries
      .slice(0, MAX_ITEMS)
      .map(([name, value]) => [name, isSecretName(name) && value !== undefined ? MASK : copy(value, depth + 1)]),
  );
}

function copy(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return value.length > MAX_CHARS ? `${value.slice(0, MAX_CHARS)}…` : value;
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[…]';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return copyError(value, depth);
  if (value instanceof Map || value instanceof Set) return copy([...value], depth);
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => copy(item, depth + 1));
  return copyEntries(Object.entries(value), depth);
}

function copyError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    ...copyEntries(Object.entries(error), depth),
    name,
    message: copy(message, depth),
    stack: copy(stack, depth),
    ...(cause === undefined ? {} : { cause: copy(cause, depth + 1) }),
  };
}
