import { startDevnet } from './start-devnet.ts';

/** Starts a network and is killed in the middle of it: when the first book is up. Arguments: the data folder. */
const [, , dataDir = ''] = process.argv;
await startDevnet({
  dataDir,
  settings: { operators: 1 },
  signal: new AbortController().signal,
  onProgress: ({ step }) => {
    if (step === 'books') process.kill(process.pid, 'SIGKILL');
  },
});
