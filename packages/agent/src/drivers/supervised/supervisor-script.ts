import type { JobFiles } from './job-files.ts';
import { shellQuote } from './shell-quote.ts';

export interface SupervisorOptions {
  readonly files: JobFiles;
  /** Output beyond this is thrown away, so that a job cannot fill the operator's disk with it. */
  readonly keepOutputBytes: number;
  /** `cgroup.procs` files that the job joins before it begins. */
  readonly cgroupProcs: readonly string[];
  /**
   * What to do about processes that the job leaves behind and that hold its output open:
   * `none-left`: there are none (their PID namespace is gone); `kill`: end those in the cgroup; `give-up`: wait 2 s at most.
   */
  readonly leftovers: 'none-left' | 'kill' | 'give-up';
}

/**
 * The shell script between agent and job. It is all that has to live for the job to be accounted for: it outlives the
 * agent, waits for the job, and leaves the exit code. Its arguments are the job's command; on stdin it waits for a line,
 * so that nothing begins before the agent has written down that it exists; on fd 3 the job reports that it has begun.
 *
 * Output passes through a pipe and not straight into a file: a job that opens /dev/stderr for writing would cut that
 * file short. Anybody may write into the pipe, since the job may be another user; the folder keeps strangers out. The job runs in the foreground, since a shell makes background commands ignore SIGINT.
 */
export function supervisorScript(options: SupervisorOptions): string {
  const { files } = options;
  const joins = options.cgroupProcs.map((path) => `echo 0 >${shellQuote(path)} || exit 125`);
  return `trap : TERM HUP INT QUIT
read -r go || exit 0
mkfifo -m 0622 ${shellQuote(files.outputPipe)} || exit 125
{
  dd bs=65536 count=${options.keepOutputBytes} iflag=count_bytes 2>/dev/null
  cat >/dev/null
} <${shellQuote(files.outputPipe)} >>${shellQuote(files.output)} 3>&- &
writer=$!
(
${joins.map((line) => `  ${line}`).join('\n')}
  exec "$@"
) </dev/null >${shellQuote(files.outputPipe)} 2>&1
code=$?
${drain(options)}
echo "$code" >${shellQuote(files.exitPart)} && mv ${shellQuote(files.exitPart)} ${shellQuote(files.exit)}
`;
}

function drain(options: SupervisorOptions): string {
  switch (options.leftovers) {
    case 'none-left':
      return 'wait "$writer"';
    case 'kill': {
      const [procs = '/dev/null'] = options.cgroupProcs;
      return `rounds=0
while read -r first <${shellQuote(procs)} && [ "$rounds" -lt 500 ]; do
  while read -r pid; do kill -KILL "$pid"; done <${shellQuote(procs)}
  rounds=$((rounds + 1))
  sleep 0.01
done
wait "$writer"`;
    }
    case 'give-up':
      return `rounds=0
while kill -0 "$writer" && [ "$rounds" -lt 100 ]; do
  rounds=$((rounds + 1))
  sleep 0.02
done`;
  }
}
