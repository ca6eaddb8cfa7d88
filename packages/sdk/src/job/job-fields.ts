import type { Located, Position } from './located-yaml.ts';

/** Something wrong with a job file, at a place. `unsupported`: SkyPilot knows it, we do not honour it yet. */
export interface JobFileProblem {
  readonly at: Position;
  readonly field: string;
  readonly kind: 'invalid' | 'unsupported';
  readonly text: string;
}

interface FieldTable {
  readonly honoured: readonly string[];
  /** SkyPilot's other fields, each with what to do instead. Source: sky/utils/schemas.py of SkyPilot. */
  readonly unsupported: Readonly<Record<string, string>>;
}

const notYet = 'remove it; nothing stands in for it yet';

const topLevel: FieldTable = {
  honoured: ['name', 'num_nodes', 'resources', 'workdir', 'file_mounts', 'envs', 'setup', 'run', 'config'],
  unsupported: {
    service: notYet,
    pool: notYet,
    secrets: 'pass the values as envs of the call, they travel encrypted to the machines alone',
    managed_secrets: 'pass the values as envs of the call, they travel encrypted to the machines alone',
    volumes: 'send files with workdir or file_mounts',
    volume_mounts: 'send files with workdir or file_mounts',
    file_mounts_mapping: 'use file_mounts',
    event_callback: notYet,
    inputs: notYet,
    outputs: 'name the files to fetch back under config.latent.outputs',
    api_server_access: notYet,
    experimental: notYet,
    _metadata: notYet,
  },
};

const resources: FieldTable = {
  honoured: ['accelerators', 'cpus', 'memory', 'region', 'infra', 'cloud', 'use_spot', 'image_id'],
  unsupported: {
    zone: 'use region',
    instance_type: 'say what the job needs with accelerators, cpus and memory',
    any_of: 'give one set of resources; accelerators may list several models',
    ordered: 'give one set of resources; accelerators may list several models',
    disk_size: notYet,
    ephemeral_storage: notYet,
    disk_tier: notYet,
    local_disk: notYet,
    network_tier: notYet,
    ports: notYet,
    labels: notYet,
    autostop: 'bound the lease with config.latent.max_hours',
    job_recovery: notYet,
    spot_recovery: notYet,
    accelerator_args: notYet,
    max_hourly_cost: 'cap the price of a device with config.latent.price_cap',
    priority: notYet,
    priority_class: notYet,
    volumes: notYet,
    _cluster_config_overrides: notYet,
    _docker_login_config: notYet,
    _is_image_managed: notYet,
    _no_missing_accel_warnings: notYet,
    _requires_fuse: notYet,
  },
};

const config: FieldTable = {
  honoured: ['latent'],
  unsupported: Object.fromEntries(
    ['docker', 'kubernetes', 'ssh', 'slurm', 'gcp', 'aws', 'azure', 'nvidia_gpus', 'jobs', 'hooks'].map((name) => [
      name,
      'it configures another cloud; our own keys stand under config.latent',
    ]),
  ),
};

const latent: FieldTable = {
  honoured: ['price_cap', 'max_hours', 'regions', 'exclude_operators', 'isolation', 'network', 'outputs', 'spares'],
  unsupported: {},
};

const tables: readonly { readonly path: readonly string[]; readonly table: FieldTable }[] = [
  { path: [], table: topLevel },
  { path: ['resources'], table: resources },
  { path: ['config'], table: config },
  { path: ['config', 'latent'], table: latent },
];

/** Every field that is not honoured, by name: SkyPilot's own as unsupported, all others as invalid. A null field is absent. */
export function checkFields(root: Located): JobFileProblem[] {
  return tables.flatMap(({ path, table }) => {
    const map = mapAt(root, path);
    if (map === undefined) return [];
    return [...map.entries]
      .filter(([name]) => !table.honoured.includes(name))
      .flatMap(([name, { keyAt, value }]): JobFileProblem[] => {
        const field = [...path, name].join('.');
        const instead = Object.hasOwn(table.unsupported, name) ? table.unsupported[name] : undefined;
        if (instead === undefined) {
          const shown = field.slice(0, 80);
          return [{ at: keyAt, field: shown, kind: 'invalid', text: `no such field${suggestion(name, table)}` }];
        }
        if (value.kind === 'scalar' && value.value === null) return [];
        return [{ at: keyAt, field, kind: 'unsupported', text: `not supported: ${instead}` }];
      });
  });
}

function mapAt(root: Located, path: readonly string[]): Extract<Located, { kind: 'map' }> | undefined {
  let value: Located | undefined = root;
  for (const name of path) value = value?.kind === 'map' ? value.entries.get(name)?.value : undefined;
  return value?.kind === 'map' ? value : undefined;
}

function suggestion(name: string, table: FieldTable): string {
  const known = [...table.honoured, ...Object.keys(table.unsupported).filter((field) => !field.startsWith('_'))];
  const written = name.slice(0, 40);
  const nearest = known
    .map((field) => ({ field, distance: editDistance(written.toLowerCase().replaceAll('-', '_'), field) }))
    .sort((left, right) => left.distance - right.distance)[0];
  if (nearest !== undefined && nearest.distance <= Math.max(1, Math.floor(nearest.field.length / 3))) {
    return `, did you mean ${nearest.field}?`;
  }
  return `; the fields here are ${table.honoured.join(', ')}`;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short words. */
function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (beforeLast[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
