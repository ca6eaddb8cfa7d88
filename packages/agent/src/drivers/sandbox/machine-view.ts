import { lstat, readlink, realpath } from 'node:fs/promises';
import { hasErrno, isMissing } from '../is-missing.ts';

/** A piece of the machine that every job sees, read-only. */
export type ViewEntry =
  | { readonly kind: 'bind'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/** Programs and libraries. On merged-usr machines all but the first are links into it. */
const systemFolders = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/**
 * Settings without which common programs do not run. What is not named is not seen: /etc holds the operator's secrets.
 * Of /etc/ssl the public half only.
 */
const settings = [
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'localtime', 'timezone', 'locale.alias'],
  ...['resolv.conf', 'nsswitch.conf', 'host.conf', 'gai.conf', 'services', 'protocols', 'mime.types'],
  ...['ssl/certs', 'ssl/openssl.cnf', 'ca-certificates.conf', 'pki/tls/certs', 'pki/ca-trust/extracted'],
  ...['fonts', 'glvnd', 'vulkan', 'OpenCL', 'python3', 'perl', 'java-17-openjdk', 'java-21-openjdk'],
].map((name) => `/etc/${name}`);

/** What of the list this machine has. */
export async function readMachineView(): Promise<readonly ViewEntry[]> {
  const [folders, files] = await Promise.all([
    Promise.all(systemFolders.map(folderEntry)),
    Promise.all(settings.map(settingEntry)),
  ]);
  return [...folders, ...files].flat();
}

async function folderEntry(path: string): Promise<readonly ViewEntry[]> {
  try {
    if ((await lstat(path)).isSymbolicLink()) return [{ kind: 'link', path, target: await readlink(path) }];
    return [{ kind: 'bind', path }];
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The setting may be a link out of /etc (resolv.conf often is): what it leads to is bound, unless it leads nowhere. */
async function settingEntry(path: string): Promise<readonly ViewEntry[]> {
  try {
    await realpath(path);
    return [{ kind: 'bind', path }];
  } catch (error) {
    if (isMissing(error) || hasErrno(error, 'EACCES')) return [];
    throw error;
  }
}
