import { describeEngine } from '../conformance.ts';
import { openReferenceEngine } from './reference-engine.ts';

describeEngine('reference', async () => openReferenceEngine());
