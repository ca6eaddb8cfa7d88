import { spawn } from 'node:child_process';

/**
 * Runs one of the system's programs to its end, with `input` on its standard input.
 * @returns what it printed. Throws what it complained of if it fails or is not there
 */
export async function runTool(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [printed, complaint] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  // One that ended before it read everything says more by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code === 0) return printed;
  throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${complaint.trim()}\n${input}`);
}
