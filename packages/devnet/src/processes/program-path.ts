import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The program of a package of ours: `main.ts` beside its entry. Found through the module system, wherever one stands. */
export function programPath(packageName: '@latent/agent' | '@latent/book'): string {
  return join(dirname(createRequire(import.meta.url).resolve(packageName)), 'main.ts');
}
