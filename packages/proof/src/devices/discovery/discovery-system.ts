/** An argument of a C function: an `int`, a 64-bit handle, or memory that it reads or writes. */
export type NativeArgument = number | bigint | Uint8Array;

/** A C function that returns an `int`. It runs off the main thread, so that a slow driver does not stop the process. */
export type NativeFunction = (...values: readonly NativeArgument[]) => Promise<number>;

/** A shared library that is loaded. */
export interface NativeLibrary {
  readonly path: string;
  /** @returns undefined where the library has no function of that name */
  readonly find: (prototype: string) => NativeFunction | undefined;
}

/** `missing`: no such file. `broken`: there, but it does not load. */
export type LoadedLibrary =
  | { readonly kind: 'loaded'; readonly library: NativeLibrary }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'broken'; readonly reason: string };

export interface CommandAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Files below one root. Nothing is ever written. A path that does not exist is undefined; every other failure is thrown. */
export interface FileView {
  /** The first 4096 bytes as text, without white space at the ends. */
  readonly readText: (path: string) => Promise<string | undefined>;
  readonly list: (path: string) => Promise<readonly string[] | undefined>;
  /** Name of what a link points to, without its folder. */
  readonly linkTarget: (path: string) => Promise<string | undefined>;
  readonly exists: (path: string) => Promise<boolean>;
}

export interface ProcessorFacts {
  readonly model: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly architecture: string;
}

/** What discovery sees of the machine. Passed in, so that every source can be tested on recorded answers. */
export interface DiscoverySystem {
  /** As `process.platform`. */
  readonly platform: string;
  readonly files: FileView;
  /** Tries the names in order and takes the first that is there. Never rejects. */
  readonly loadLibrary: (names: readonly string[]) => Promise<LoadedLibrary>;
  /** Rejects when the command cannot be started, or is aborted. */
  readonly runCommand: (command: string, parameters: readonly string[], signal: AbortSignal) => Promise<CommandAnswer>;
  readonly processor: () => ProcessorFacts;
}
