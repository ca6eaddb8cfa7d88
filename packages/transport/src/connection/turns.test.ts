import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('turns are given at once while there is room, and then in the order of asking', () => {
  let room = 2;
  const turns = new Turns(() => room > 0);
  const had: string[] = [];
  const take = (name: string) =>
    turns.take(() => {
      room -= 1;
      had.push(name);
    });
  for (const name of ['a', 'b', 'c', 'd']) take(name);
  expect(had).toEqual(['a', 'b']);
  room = 1;
  turns.serve();
  expect(had).toEqual(['a', 'b', 'c']);
  room = 1;
  // Whoever asks now comes behind those who wait.
  take('e');
  expect(had).toEqual(['a', 'b', 'c', 'd']);
});

test('whoever asks again in a turn comes behind the others', () => {
  let room = 0;
  const turns = new Turns(() => room > 0);
  const had: string[] = [];
  const takeOn = (name: string) =>
    turns.take(() => {
      room -= 1;
      had.push(name);
      takeOn(name);
    });
  for (const name of ['busy', 'other', 'third']) takeOn(name);
  room = 7;
  turns.serve();
  expect(had).toEqual(['busy', 'other', 'third', 'busy', 'other', 'third', 'busy']);
});

test('a turn that fails harms nobody behind it', () => {
  let room = 0;
  const turns = new Turns(() => room > 0);
  const had: string[] = [];
  turns.take(() => {
    throw new Error('no');
  });
  turns.take(() => void had.push('next'));
  room = 1;
  expect(() => turns.serve()).toThrow('no');
  turns.serve();
  expect(had).toEqual(['next']);
});

test('after an end nobody gets a turn', () => {
  let room = 0;
  const turns = new Turns(() => room > 0);
  turns.take(() => expect.unreachable('it was over'));
  turns.clear();
  room = 1;
  turns.serve();
});
