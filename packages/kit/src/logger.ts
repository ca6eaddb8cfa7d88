import pino from 'pino';
import { toLoggable } from './to-loggable.ts';

/** What belongs to a log line beside its message: names and values, not sentences. */
export type LogFields = Readonly<Record<string, unknown>>;
type Log = (fields: LogFields, message: string) => void;

/** Lines of structured log. Nothing from the network belongs in a message; in a field it is escaped and cut. */
export interface Logger {
  /** For whoever looks for a fault in the program. */
  readonly debug: Log;
  /** What happened in the normal run of things. */
  readonly info: Log;
  /** Went wrong, and was coped with. */
  readonly warn: Log;
  /** Went wrong, and somebody has to look. */
  readonly error: Log;
}

export type LogLevel = keyof Logger;

export interface LoggerOptions {
  /** Of the program; in every line. */
  readonly name: string;
  /** The least that is written. */
  readonly level: LogLevel;
  /** A file is appended to; its folder is made. */
  readonly destination: 'stderr' | { readonly file: string };
}

/**
 * Writes one JSON object per line, at once and not in the background: what a process logged before it was killed is there.
 * Values of fields named like a secret are left out; see {@link toLoggable}.
 */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  const target = destination === 'stderr' ? { dest: 2 } : { dest: destination.file, mkdir: true, mode: 0o600 };
  const base = { name, pid: process.pid };
  const lines = pino(
    { level, base, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ ...target, sync: true }),
  );
  const at =
    (label: LogLevel): Log =>
    (fields, message) => {
      if (lines.isLevelEnabled(label)) lines[label](toLoggable(fields), message);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const silence: Log = () => undefined;

export const silentLogger: Logger = { debug: silence, info: silence, warn: silence, error: silence };
