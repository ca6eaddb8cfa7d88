import { expect, it } from 'vitest';
import { findWords } from './check-words.ts';

it.each([
  ['the provider of compute', ['provider']],
  ['const computeProviders = 1', ['provider']],
  ['MAX_TENANTS', ['tenant']],
  ['class RequestorBidder {}', ['requestor', 'bidder']],
])('finds the word in %j', (text, words) => {
  expect(findWords(text)).toEqual(words);
});

it.each(['provides', 'determiner', 'lieutenant', 'bid', 'untenanted'])('lets %j be', (text) => {
  expect(findWords(text)).toEqual([]);
});
