import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identifyProcess } from '@latent/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { devnetStatus, readDevnet } from './devnet.ts';
import {
  type DevnetState,
  type ProcessEntry,
  readDevnetState,
  updateProcess,
  writeDevnetState,
} from './devnet-state.ts';
import { defaultSettings } from './make-settings.ts';
import { stopDevnet } from './stop-devnet.ts';

let dataDir = '';
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'latent-state-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const entry = (name: string, kind: ProcessEntry['kind']): ProcessEntry => ({
  ...{ name, kind },
  identity: null,
  url: null,
  agent: null,
});

function writeState(): DevnetState {
  const state: DevnetState = {
    version: 1,
    settings: defaultSettings,
    isolation: 'none',
    processes: [entry('chain', 'chain'), entry('book-1', 'book')],
  };
  writeDevnetState(dataDir, state);
  return state;
}

test('reads back what was written, in a file that only its owner may read, and leaves no parts', () => {
  const state = writeState();
  expect(readDevnetState(dataDir)).toEqual(state);
  expect(statSync(join(dataDir, 'devnet.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['devnet.json']);
});

test('changes one process and no other', () => {
  const state = writeState();
  updateProcess(dataDir, 'book-1', { identity: identifyProcess(process.pid) });
  updateProcess(dataDir, 'book-1', { url: 'http://127.0.0.1:7001' });
  expect(readDevnetState(dataDir)?.processes).toEqual([
    state.processes[0],
    { ...entry('book-1', 'book'), identity: identifyProcess(process.pid), url: 'http://127.0.0.1:7001' },
  ]);
  expect(() => updateProcess(dataDir, 'book-9', { url: null })).toThrow('no process book-9');
});

test.each(['', '{', '{"version":2}', '[]'])('says that a state file with %o in it is damaged', (text) => {
  writeFileSync(join(dataDir, 'devnet.json'), text);
  expect(() => readDevnetState(dataDir)).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }));
});

test('tells which processes are alive, and that nothing runs when none is', () => {
  writeState();
  expect(() => devnetStatus(dataDir)).toThrow(expect.objectContaining({ code: 'DEVNET_NOT_RUNNING' }));
  updateProcess(dataDir, 'chain', { identity: identifyProcess(process.pid) });
  updateProcess(dataDir, 'book-1', { identity: { ...identifyProcess(process.pid), birth: 'another-boot/1' } });
  expect(devnetStatus(dataDir)).toEqual([
    { name: 'chain', kind: 'chain', pid: process.pid, alive: true, log: join(dataDir, 'logs/chain.log') },
    { name: 'book-1', kind: 'book', pid: process.pid, alive: false, log: join(dataDir, 'logs/book-1.log') },
  ]);
});

test('does not give a network to use that was not started to its end', () => {
  writeState();
  updateProcess(dataDir, 'chain', { identity: identifyProcess(process.pid) });
  expect(() => readDevnet(dataDir)).toThrow(expect.objectContaining({ code: 'DEVNET_NOT_RUNNING' }));
});

test('has nothing to stop where nothing runs', async () => {
  await expect(stopDevnet({ dataDir })).rejects.toMatchObject({ code: 'DEVNET_NOT_RUNNING' });
  writeState();
  await expect(stopDevnet({ dataDir })).rejects.toMatchObject({ code: 'DEVNET_NOT_RUNNING' });
});
