import {
  type Candidate,
  checkSignedAsk,
  type EscrowDomain,
  hourlyFromRateUp,
  LatentError,
  type ListedAsk,
  type MatchAnswer,
  matchOrder,
  type Requirements,
  type SignedAsk,
  toLatentError,
} from '@latent/protocol';

/** What a book answered, checked. `faults` names what the book got wrong; a forged ask is not among the candidates. */
export interface CheckedAnswer {
  readonly book: string;
  readonly asks: readonly CheckedAsk[];
  readonly faults: readonly LatentError[];
}

export interface CheckedAsk {
  readonly candidate: Candidate;
  readonly signed: SignedAsk;
}

/**
 * Checks a book's answer against what agents signed: every signature, every stated price and id, and that the book's
 * choice is the one that its own asks lead to. A book can withhold, but not forge.
 */
export async function checkAnswer(
  domain: EscrowDomain,
  book: string,
  requirements: Requirements,
  answer: MatchAnswer,
  nowSeconds: number,
): Promise<CheckedAnswer> {
  const faults: LatentError[] = [];
  const asks: CheckedAsk[] = [];
  for (const listed of answer.asks) {
    const checked = await checkListed(domain, book, listed, nowSeconds);
    if (checked instanceof LatentError) faults.push(checked);
    else asks.push({ candidate: checked, signed: listed.signed });
  }
  const expected = matchOrder(
    requirements,
    asks.map(({ candidate }) => candidate),
  ).chosen.map(({ id }) => id);
  if (faults.length === 0 && expected.join() !== answer.chosen.join()) {
    faults.push(
      new LatentError(
        'BOOK_LIED',
        `Book ${book} chose ${answer.chosen.length} asks that are not the cheapest of those it showed.`,
        {
          details: { book, expected, chosen: answer.chosen },
        },
      ),
    );
  }
  return { book, asks, faults };
}

async function checkListed(
  domain: EscrowDomain,
  book: string,
  listed: ListedAsk,
  nowSeconds: number,
): Promise<Candidate | LatentError> {
  const { ask, resource } = listed.signed;
  try {
    const id = await checkSignedAsk(domain, listed.signed, nowSeconds);
    if (id !== listed.id) {
      return new LatentError('BOOK_LIED', `Book ${book} lists ask ${id} under the id ${listed.id}.`, {
        details: { book, ask: id },
      });
    }
    const price = hourlyFromRateUp(ask.rate);
    if (price.toString() !== listed.pricePerDeviceHour) {
      return new LatentError(
        'BOOK_LIED',
        `Book ${book} states ${listed.pricePerDeviceHour} per device-hour for ask ${id}; its agent signed ${price}.`,
        {
          details: { book, ask: id, stated: listed.pricePerDeviceHour, signed: price },
          hint: 'The signed price is what counts. Consider another book.',
        },
      );
    }
    return { id, ask, resource, freeDevices: Math.min(listed.freeDevices, ask.devices), present: listed.present };
  } catch (thrown) {
    const cause = toLatentError(thrown);
    if (cause.code === 'ASK_EXPIRED') return cause;
    return new LatentError(
      'BOOK_FORGED_ASK',
      `Book ${book} serves an ask that its agent did not sign: ${cause.message}`,
      {
        details: { book, ask: listed.id, agentKey: ask.agentKey },
        hint: 'Leave this book out with --book.',
        cause,
      },
    );
  }
}
