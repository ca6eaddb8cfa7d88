import { join } from 'node:path';

/** What lies in the state folder of a supervised job. */
export function jobFiles(stateDir: string) {
  const at = (name: string) => join(stateDir, name);
  return {
    supervisor: at('supervisor.sh'),
    /** Complaints of the supervisor itself. */
    supervisorLog: at('supervisor.log'),
    script: at('script.sh'),
    output: at('output'),
    outputPipe: at('output.pipe'),
    /** Exit code in decimal; appears whole, when the job has ended and its output is complete. */
    exit: at('exit'),
    exitPart: at('exit.part'),
    surroundings: at('surroundings.json'),
    handle: at('handle.json'),
  } as const;
}

export type JobFiles = ReturnType<typeof jobFiles>;
