import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { noiseInBrowsers } from '@latent/transport/vite';
import { build } from 'vite';
import { z } from 'zod';
import { openInChromium } from './chromium.ts';
import { pagePolicy } from './page-policy.ts';
import { type PageAnswer, type PageRequest, pageAnswerSchema } from './page-request.ts';

/** A page in a browser of its own that does what it is asked (`agent-page.ts`). */
export interface AgentPage {
  /** Resolves with the page's answer. Rejects when the browser ends, or the page fails by itself. */
  ask(request: PageRequest): Promise<PageAnswer>;
  /** The value of the answer, parsed. Rejects when it is an error. */
  value<Value>(request: PageRequest, schema: z.ZodType<Value>): Promise<Value>;
  /** Closes the page as a person does who closes its tab. */
  closeTab(): Promise<void>;
  close(): Promise<void>;
}

export interface AgentPageOptions {
  /** Where the page may connect to: origins of books. Nowhere else, as its content security policy says. */
  readonly books: readonly string[];
}

const DOCUMENT = '<!doctype html><meta charset="utf-8"><script type="module" src="/load.js"></script>';
/** From a script of its own, so that a page that cannot even be loaded says so; and before any other, so that it sees all violations. */
const LOAD = `const tell = (text) => fetch('/failure', { method: 'POST', body: text });
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => tell(\`\${violatedDirective}: \${blockedURI}\`));
import('/page.js').catch((error) => tell(String(error)));`;

let building: Promise<ReadonlyMap<string, string>> | undefined;

export async function openAgentPage({ books }: AgentPageOptions): Promise<AgentPage> {
  building ??= buildPage();
  const scripts = new Map([...(await building), ['/load.js', LOAD]]);
  const policy = pagePolicy(books);
  const requests = createQueue();
  const answers = new Map<number, PromiseWithResolvers<PageAnswer>>();
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    response.setHeader('content-security-policy', policy);
    switch (pathname) {
      case '/next':
        response.setHeader('content-type', 'application/json').end(await requests.next());
        return;
      case '/answer':
        answers.get(Number(searchParams.get('id')))?.resolve(pageAnswerSchema.parse(JSON.parse(await text(request))));
        response.end();
        return;
      case '/failure':
        failure.reject(new Error(`the page failed: ${await text(request)}`));
        response.end();
        return;
      default: {
        const script = scripts.get(pathname);
        response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
        response.end(script ?? DOCUMENT);
      }
    }
  };
  const server = createServer((request, response) => void answer(request, response).catch(failure.reject));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const browser = await openInChromium(`http://127.0.0.1:${port}/`);

  let lastId = 0;
  const ask = async (request: PageRequest): Promise<PageAnswer> => {
    lastId += 1;
    const answered = Promise.withResolvers<PageAnswer>();
    answers.set(lastId, answered);
    requests.put(JSON.stringify({ id: lastId, request }));
    return await Promise.race([answered.promise, failure.promise, browser.failed]);
  };
  return {
    ask,
    value: async (request, schema) => {
      const said = await ask(request);
      if (said.kind === 'error') throw new Error(`the page answered ${said.code}: ${said.message}`);
      return schema.parse(said.value);
    },
    closeTab: browser.closeTab,
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function buildPage(): Promise<ReadonlyMap<string, string>> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [noiseInBrowsers()],
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(import.meta.resolve('./agent-page.ts')),
        formats: ['es'],
        fileName: () => 'page.js',
      },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  return new Map(outputs.flatMap((file) => (file.type === 'chunk' ? [[`/${file.fileName}`, file.code] as const] : [])));
}

/** What is put is given out in order, to whoever comes first. */
function createQueue() {
  const texts: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  return {
    put: (text: string) => {
      const first = waiting.shift();
      if (first === undefined) texts.push(text);
      else first(text);
    },
    next: () => {
      const text = texts.shift();
      return text === undefined ? new Promise<string>((resolve) => waiting.push(resolve)) : text;
    },
  };
}
