import type { Address } from 'viem';

/** A job file, read and checked: plain data, no positions but those that a later error needs. */
export interface JobFile {
  /** As the caller named it; only for messages. */
  readonly fileName: string;
  readonly name: string | null;
  /** Machines of the cluster, 1 to 64: one rank each. */
  readonly machines: number;
  readonly requirements: JobRequirements;
  /** OCI reference of the image that the job runs in, as written, without `docker:`. Null: it runs on the machine's own system. */
  readonly image: string | null;
  /** Local folder, as written: relative to the job file, `~` is the renter's home. Null: nothing is sent. */
  readonly workdir: string | null;
  readonly fileMounts: readonly FileMount[];
  /** Null: the caller has to give the value. */
  readonly envs: Readonly<Record<string, string | null>>;
  readonly setup: string | null;
  readonly run: string;
  readonly latent: LatentSection;
}

/** What every machine of the cluster has to have. */
export interface JobRequirements {
  readonly devices: DeviceRequirement;
  /** Cores; may be a fraction. Null: any. */
  readonly minCpus: number | null;
  /** GiB; may be a fraction. Null: any. */
  readonly minMemoryGib: number | null;
  /** Empty: any. */
  readonly regions: readonly string[];
}

/** Any one of `models`, `count` of it on every machine. Without accelerators a machine's CPU is its one device. */
export type DeviceRequirement =
  | { readonly kind: 'gpu'; readonly models: readonly string[]; readonly count: number }
  | { readonly kind: 'cpu'; readonly count: 1 };

export interface FileMount {
  /** Local file or folder, as written. */
  readonly source: string;
  /** Where the job finds it, as written: see `mountDestination`. */
  readonly destination: string;
  readonly line: number;
  readonly column: number;
}

/** Least isolation between the job and the machine that will do. */
export type JobIsolation = 'none' | 'namespaces';

/** `private`: the ranks are in a network of their own, and reach nothing else. `host`: each is in its machine's network. */
export type JobNetworkKind = 'private' | 'host';

/** The keys under `config.latent`. */
export interface LatentSection {
  /** Most the renter pays for one device and hour, in millionths of a dollar. Null: the caller decides. */
  readonly priceCapMicrodollarsPerDeviceHour: bigint | null;
  /** Length of the lease, rounded down to a second. Null: the caller decides. */
  readonly maxLeaseSeconds: number | null;
  readonly excludeOperators: readonly Address[];
  readonly isolation: JobIsolation;
  /** Null: `private` for a job of several machines where all of them can, else `host`. */
  readonly network: JobNetworkKind | null;
  /** Paths relative to the job's working folder that are fetched back. */
  readonly outputs: readonly string[];
  /** Asks to hold beside those needed, to replace a lost member. Null: the caller decides. */
  readonly spares: number | null;
}
