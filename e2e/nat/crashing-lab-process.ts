// For a test of what a crash leaves behind: opens a lab, starts a process in it, names that, and waits to be killed.

import { openLab } from './lab.ts';

const lab = await openLab({ home: 'cone' });
const { pid } = lab.run('home', 'sleep', ['1000']);
process.stdout.write(`${pid}\n`);
