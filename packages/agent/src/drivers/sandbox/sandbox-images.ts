import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageStore } from '../../images/image-store.ts';
import type { ImageTree } from '../../images/image-tree.ts';
import type { JobSpec, PrepareOptions } from '../driver.ts';
import { jobUid } from '../job-user.ts';
import { refuseImage } from '../refuse-image.ts';
import type { Surroundings } from '../supervised/surroundings.ts';
import { type ImageRoot, inNamespace, probeOverlay, type RootKind, readyImageRoot, rootLines } from './image-root.ts';
import type { SandboxAnswer } from './probe-sandbox.ts';
import { asJobUser } from './sandbox-command.ts';
import type { SandboxTools } from './sandbox-tools.ts';

type Usable = Extract<SandboxAnswer, { usable: true }>;

/** A job's image, unpacked, and how the job gets it. */
export interface OpenedImage {
  readonly tree: ImageTree;
  readonly root: ImageRoot;
}

export interface SandboxImages {
  /**
   * Undefined for a job that names no image.
   * @throws LatentError DRIVER_REFUSED, those of `ImageStore.prepare`
   */
  open(
    spec: Pick<JobSpec, 'jobId' | 'image' | 'imageDir' | 'stateDir'>,
    answer: Usable,
    options: PrepareOptions,
  ): Promise<OpenedImage | undefined>;
}

export interface SandboxImagesOptions {
  /** Without one, jobs that name an image are refused. */
  readonly store: ImageStore | undefined;
  /** Only for tests of what machines do that mount no overlays. */
  readonly kind?: RootKind;
}

export function sandboxImages(options: SandboxImagesOptions): SandboxImages {
  const { store } = options;
  let kind: Promise<RootKind> | undefined;
  const probe = async (answer: Usable, folder: string): Promise<RootKind> =>
    options.kind ?? ((await probeOverlay(answer.tools, folder, answer.root)) ? 'overlay' : 'copy');
  return {
    async open(spec, answer, { signal, onProgress }) {
      if (spec.image === undefined) return undefined;
      if (store === undefined) {
        refuseImage(spec, 'sandbox');
        return undefined;
      }
      const folder = spec.imageDir ?? join(spec.stateDir, 'image');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const progress = onProgress === undefined ? {} : { onProgress };
      const tree = await store.prepare(spec.image, { folder, signal, ...progress });
      kind ??= probe(answer, store.folder);
      const uid = answer.root ? jobUid(spec.jobId) : undefined;
      return { tree, root: await readyImageRoot(tree, { kind: await kind, folder, uid, signal }) };
    },
  };
}

/** What comes before bubblewrap on the job's command line. */
export async function jobPrefix(
  tools: SandboxTools,
  uid: number | undefined,
  { spec, image }: { readonly spec: JobSpec; readonly image: OpenedImage | undefined },
): Promise<readonly string[]> {
  const lines = image === undefined ? [] : rootLines(image.root, await etcFiles(spec));
  if (uid !== undefined) return asJobUser(tools, uid, spec, lines);
  if (image === undefined) return [];
  if (image.root.kind === 'overlay') return inNamespace(tools, false, lines);
  return ['/bin/sh', '-c', [...lines, 'exec "$@"'].join('\n'), 'sh'];
}

const resolver = '/etc/resolv.conf';
/** In the state folder of a job in a private network: what it has for the resolver. */
export const resolverCopy = 'resolv.conf';

/** Files of the machine's making that a job in an image gets instead of the image's own. */
async function etcFiles(spec: JobSpec): Promise<Readonly<Record<string, string>>> {
  const hosts = join(spec.stateDir, 'hosts');
  if (spec.network !== undefined) return { hosts, 'resolv.conf': join(spec.stateDir, resolverCopy) };
  const hasResolver = await access(resolver).then(
    () => true,
    () => false,
  );
  return { hosts, ...(hasResolver ? { 'resolv.conf': resolver } : {}) };
}

/** What a command needs to know to enter the job's image. */
export function imageSurroundings(
  image: OpenedImage | undefined,
  of: { readonly workdir: string; readonly shmBytes: number },
): Pick<Surroundings, 'image'> {
  if (image === undefined) return {};
  const { path, kind, uid } = image.root;
  const held = uid === undefined ? (kind === 'overlay' ? 'as-root-of-namespace' : 'no') : 'as-root';
  return { image: { root: path, held, ...of } };
}

/** How a command comes to where bubblewrap found the image's files: in the namespace of its process that waits outside. */
export function enterMounts(tools: SandboxTools, image: Surroundings['image'], monitor: number): readonly string[] {
  switch (image?.held) {
    case 'as-root':
      return [tools.nsenter, `--mount=/proc/${monitor}/ns/mnt`, '--'];
    case 'as-root-of-namespace':
      return [tools.nsenter, `--target=${monitor}`, '--preserve-credentials', '--user', '--mount', '--'];
    case 'no':
    case undefined:
      return [];
  }
}
