/** Folder of a SkyPilot machine that holds the workdir, seen from its home. */
const skyWorkdir = 'sky_workdir';

/**
 * Where a file mount lands, relative to the job's working folder, which is also its HOME: `~/x`, `~/sky_workdir/x` and
 * `x` (SkyPilot puts relative destinations into the workdir) are all `x`. Undefined for anything else: an absolute path
 * belongs to the operator's machine, not to the job.
 *
 * A trailing `/` is kept: a single file is then put into that folder.
 */
export function mountDestination(destination: string): string | undefined {
  if (destination.startsWith('/') || destination.includes('\0')) return undefined;
  const inHome = destination === '~' ? '' : destination.startsWith('~/') ? destination.slice(2) : destination;
  const parts = inHome.split('/').filter((part) => part !== '' && part !== '.');
  if (destination.startsWith('~/') && parts[0] === skyWorkdir) parts.shift();
  if (parts.some((part) => part === '..') || parts[0]?.startsWith('~') === true) return undefined;
  const path = parts.join('/');
  return inHome.endsWith('/') && path !== '' ? `${path}/` : path;
}

/** Does the source name something that is not on the renter's disk, such as `s3://bucket`? */
export function isRemoteSource(source: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(source);
}
