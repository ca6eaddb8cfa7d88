import { describeEngine } from '../conformance.ts';
import { openCpuEngine } from './cpu-engine.ts';

describeEngine('cpu with 1 thread', () => openCpuEngine({ threads: 1 }));
describeEngine('cpu with 3 threads', () => openCpuEngine({ threads: 3 }));
