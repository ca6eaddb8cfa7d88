import { describe, expect, test } from 'vitest';
import { fillEnvs } from './fill-envs.ts';
import { parseJobFile } from './parse-job-file.ts';

const job = parseJobFile(
  `run: x
workdir: code/$MODEL
envs: {MODEL: 13b, TOKEN: null}
file_mounts:
  ~/\${MODEL}: data/\${MODEL}/$OTHER`,
  'task.yaml',
);

describe('variables of a job', () => {
  test('fill the paths of the file, the value of the caller going first', () => {
    const filled = fillEnvs(job, { MODEL: '7b', TOKEN: 'secret' });
    expect(filled.envs).toEqual({ MODEL: '7b', TOKEN: 'secret' });
    expect(filled.workdir).toBe('code/7b');
    expect(filled.fileMounts[0]).toMatchObject({ destination: '~/7b', source: 'data/7b/$OTHER' });
  });

  test('that the file leaves to the caller are asked for by name', () => {
    expect(() => fillEnvs(job, {})).toThrow(
      expect.objectContaining({ code: 'JOB_FILE_INVALID', details: { file: 'task.yaml', missing: ['TOKEN'] } }),
    );
  });

  test('cannot smuggle in a path that the file may not have', () => {
    for (const MODEL of ['../../up', '../x/../..']) {
      expect(() => fillEnvs(job, { MODEL, TOKEN: '' })).toThrow(
        expect.objectContaining({
          code: 'JOB_FIELD_UNSUPPORTED',
          details: expect.objectContaining({ line: 5, column: 3 }),
        }),
      );
    }
  });

  test('cannot turn the workdir into an address', () => {
    const remote = parseJobFile('run: x\nworkdir: $WHERE\nenvs: {WHERE: null}', 'task.yaml');
    expect(() => fillEnvs(remote, { WHERE: 's3://bucket' })).toThrow(
      expect.objectContaining({ code: 'JOB_FIELD_UNSUPPORTED' }),
    );
  });

  test('may not replace those that Latent sets', () => {
    expect(() => fillEnvs(job, { TOKEN: '', SKYPILOT_NODE_RANK: '7' })).toThrow('SKYPILOT_NODE_RANK');
  });
});
