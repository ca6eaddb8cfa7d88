import { config } from 'zod';

// Where it may, zod compiles schemas by `eval`; it tries once, which a strict policy reports. To be imported before any schema is made.
config({ jitless: true });
