import { afterAll, describe, test, vi } from 'vitest';
import { describeDriver } from '../conformance.ts';
import { create } from './docker-driver.fixture.ts';
import { describeEngine, notByNumber } from './testing/describe-engine.ts';
import { openTestEngine } from './testing/test-engine.ts';

const answer = await openTestEngine('podman');
if ('missing' in answer) {
  describe.skip(`podman (skipped: ${answer.missing})`, () => {
    test('runs jobs', () => undefined);
  });
} else {
  const { engine } = answer;
  vi.stubEnv('LATENT_TEST_ENGINE', engine.socketPath);
  vi.stubEnv('LATENT_TEST_IMAGE', engine.image);
  afterAll(() => engine.close(), 60_000);

  describeDriver({
    name: 'podman',
    create,
    module: new URL('./docker-driver.fixture.ts', import.meta.url),
    skip: [notByNumber],
  });

  describeEngine('podman', engine);
}
