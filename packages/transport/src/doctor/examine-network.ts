import { networkInterfaces } from 'node:os';
import { type Diagnosis, diagnoseNetwork } from './diagnose-network.ts';
import { type BookExamination, examineBook } from './examine-book.ts';

/** What was seen of a machine's way to others, and what it means. */
export interface NetworkExamination extends Diagnosis {
  readonly books: readonly BookExamination[];
  readonly localHosts: readonly string[];
}

export interface ExamineNetworkOptions {
  readonly books: readonly string[];
  readonly signal: AbortSignal;
  /** A book was looked at. */
  readonly onBook?: (book: BookExamination) => void;
}

/** Looks at this machine's network by way of books: a few packets, and 2 MiB through each relay. Rejects by the signal alone. */
export async function examineNetwork({ books, signal, onBook }: ExamineNetworkOptions): Promise<NetworkExamination> {
  const examined: BookExamination[] = [];
  // One after the other: each measures a rate.
  for (const bookUrl of books) {
    const book = await examineBook(bookUrl, signal);
    examined.push(book);
    onBook?.(book);
  }
  const localHosts = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address);
  return { books: examined, localHosts, ...diagnoseNetwork({ books: examined, localHosts }) };
}
