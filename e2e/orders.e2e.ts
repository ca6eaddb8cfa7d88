import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { type HostileBook, type Malice, openHostileBook } from './network/hostile-book.ts';
import { writeJob } from './network/job-file.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';

const errorSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    hint: z.string().optional(),
    details: z.object({ relaxations: z.array(z.string()) }),
  }),
});

describe('orders', () => {
  let network: TestNetwork;
  let jobFile: string;
  const hostile = new Map<Malice, HostileBook>();

  beforeAll(async () => {
    network = await openNetwork({ operators: 3 });
    jobFile = writeJob(network.home, { name: 'short', run: 'true' });
    const [honestUrl = ''] = network.devnet.books;
    for (const malice of [
      'lies about a price',
      'forges an ask',
      'answers garbage',
      'answers without end',
      'says nothing',
    ] as const) {
      hostile.set(malice, await openHostileBook(malice, honestUrl));
    }
  });
  afterAll(async () => {
    for (const book of hostile.values()) await book.close();
    await network.close();
  });

  afterEach(() => network.tidy());
  beforeEach(() => awaitFree(network, 3));

  const urlOf = (malice: Malice) => hostile.get(malice)?.url ?? '';
  const booksOf = (urls: readonly string[]) => urls.flatMap((url) => ['--book', url]);

  test('bad books are caught and named, and an honest one among them serves the order', async () => {
    const urls = [...[...hostile.values()].map(({ url }) => url), ...network.devnet.books.slice(0, 1)];
    const ended = await network.latent(['launch', jobFile, '--down', ...booksOf(urls)]);
    expect(ended.code).toBe(0);
    const warnings = ended.stderr.split('\n');
    const isNamed = (malice: Malice, code: string) =>
      warnings.some((line) => line.startsWith(`! ${code}: `) && line.includes(urlOf(malice)));
    expect(isNamed('lies about a price', 'BOOK_LIED'), ended.stderr).toBe(true);
    expect(isNamed('forges an ask', 'BOOK_FORGED_ASK'), ended.stderr).toBe(true);
    expect(isNamed('answers garbage', 'MESSAGE_INVALID'), ended.stderr).toBe(true);
    expect(isNamed('answers without end', 'MESSAGE_TOO_LARGE'), ended.stderr).toBe(true);
    expect(isNamed('says nothing', 'BOOK_UNREACHABLE'), ended.stderr).toBe(true);
    expect(warnings.filter((line) => line.includes(network.devnet.books[0] ?? ''))).toEqual([]);
  });

  test('with forged asks alone nothing is rented, and the book is named', async () => {
    const ended = await network.latent(['launch', jobFile, '--book', urlOf('forges an ask')]);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain(`BOOK_FORGED_ASK: Book ${urlOf('forges an ask')} `);
    expect(ended.stderr).toContain('ORDER_NO_MATCH: 0 of the 2 machines wanted match, of 0 asks seen.');
  });

  test('with books that make no sense alone the launch fails as unreachable', async () => {
    const urls = [urlOf('answers garbage'), urlOf('answers without end'), 'http://127.0.0.1:9'];
    const ended = await network.latent(['launch', jobFile, ...booksOf(urls)]);
    expect(ended.code).toBe(5);
    expect(ended.stderr).toContain('BOOK_UNREACHABLE: None of 3 books answered the order.');
  });

  test('an order that nothing matches says why per ask, and the smallest change that it names does match', async () => {
    const plain = await network.latent(['launch', jobFile, '--price-cap', '0.01']);
    expect(plain.code).toBe(3);
    const rows = plain.stdout.split('\n').filter((line) => line.startsWith('0x'));
    expect(rows).toHaveLength(3);
    for (const row of rows) expect(row).toMatch(/\$0\.\d+ +no +.*\$0\.01/);
    expect(plain.stderr).toMatch(/ORDER_NO_MATCH.*\n +It would match with at most \$0\.\d+\/h instead of \$0\.01\/h/);

    const json = await network.latent(['launch', jobFile, '--price-cap', '0.01', '--json']);
    const { error } = errorSchema.parse(JSON.parse(json.stdout));
    expect(error.code).toBe('ORDER_NO_MATCH');
    const cap = /at most \$(0\.\d+)\/h/.exec(error.details.relaxations.join())?.[1] ?? '';
    const below = (Number(cap) - 0.000_001).toFixed(6);
    expect(await network.latent(['launch', jobFile, '--down', '--price-cap', below])).toMatchObject({ code: 3 });
    expect(await network.latent(['launch', jobFile, '--down', '--price-cap', cap])).toMatchObject({ code: 0 });
  });

  test.each([
    ['YAML that breaks', 'name: x\nrun: [1,\nenvs: {a: b\n', 'JOB_FILE_INVALID', /bad\.yaml:[234]:\d+: /],
    ['a value that makes no sense', 'num_nodes: -3\nrun: true\n', 'JOB_FILE_INVALID', /bad\.yaml:1:12: num_nodes: /],
    ['a field not honoured', 'run: ls\nservice:\n  port: 1\n', 'JOB_FIELD_UNSUPPORTED', /bad\.yaml:2:1: service/],
    ['bytes that are no text', '\u0000\u0001\ufffd{{{{', 'JOB_FILE_INVALID', /bad\.yaml:1:\d+: /],
    ['nothing', '', 'JOB_FILE_INVALID', /bad\.yaml:1:1: /],
  ])('a job file with %s is refused with its place', async (_what, text, code, place) => {
    const file = join(network.home, 'bad.yaml');
    writeFileSync(file, text);
    const ended = await network.latent(['launch', file]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${code}: `);
    expect(ended.stderr).toMatch(place);
  });

  test('a job file that is not there, and a price that is none, end with 2', async () => {
    const missing = await network.latent(['launch', join(network.home, 'nowhere.yaml')]);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be read') });
    const priceless = await network.latent(['launch', jobFile, '--price-cap', 'cheap']);
    expect(priceless).toMatchObject({ code: 2, stderr: expect.stringContaining('CONFIG_INVALID') });
  });
});
