import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, ROOT, runCommand } from './run-command.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Runs forge in `contracts/`, unless another folder is named.
 *
 * The program itself, not npm's `forge` command: that one is a wrapper that ends with 0 whatever forge ended with, so
 * that a contract that does not compile and a test that fails would pass.
 */
export function runForge(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const platform = `${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}`;
  const wrapper = createRequire(import.meta.url).resolve('@foundry-rs/forge/package.json');
  const program = createRequire(wrapper).resolve(`@foundry-rs/forge-${platform}/bin/forge`);
  return runCommand(program, args, { cwd: join(ROOT, 'contracts'), ...options });
}
