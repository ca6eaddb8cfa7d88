import type { Logger } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import type { TryAt } from './attempt-endpoint.ts';
import { faultText, isEndpointFault } from './endpoint-faults.ts';
import type { HealthBoard } from './endpoint-health.ts';
import type { Endpoint, Question, Stated } from './endpoints.ts';

export interface AgreementContext {
  readonly endpoints: readonly Endpoint[];
  readonly board: HealthBoard;
  readonly quorum: number;
  readonly tryAt: TryAt;
  readonly logger: Logger;
}

export interface Answer<Result> extends Stated<Result> {
  readonly index: number;
}

export interface Answers<Result> {
  readonly answers: readonly Answer<Result>[];
  /** Why the others did not answer. */
  readonly reasons: readonly string[];
}

/** What an endpoint states, put so that two statements can be compared. */
export interface Voice extends Pick<Answer<unknown>, 'endpoint' | 'index'> {
  readonly words: string;
}

/** As `Endpoints.agree`. */
export async function agree<Result>(
  context: AgreementContext,
  { what, work, inWords, explain }: Question<Result>,
): Promise<Result | undefined> {
  const { answers, reasons } = await askAll(context, work);
  const voices = answers.flatMap(({ result, ...said }) =>
    result === undefined ? [] : [{ ...said, result, words: inWords(result) }],
  );
  const agreeing = mostSaid(voices);
  const others = voices.filter((voice) => !agreeing.includes(voice));
  const [[first], [other]] = [agreeing, others];
  if (first !== undefined && other !== undefined) {
    overrule(context, what, { agreeing, others, answered: answers.length, why: explain?.(first, other) });
  }
  if (agreeing.length >= context.quorum) return first?.result;
  if (voices.length === 0 && answers.length >= context.quorum) return undefined;
  throw tooFew(what, { agreeing: agreeing.length, without: answers.length - voices.length, context, reasons });
}

/** The largest group that says the same; of two that are as large, that of whoever was asked first. */
export function mostSaid<Said extends Voice>(voices: readonly Said[]): readonly Said[] {
  const groups = Map.groupBy(voices, ({ words }) => words);
  return [...groups.values()].reduce<readonly Said[]>((most, group) => (group.length > most.length ? group : most), []);
}

export interface Contradiction {
  /** They say the same. */
  readonly agreeing: readonly Voice[];
  /** Each contradicts them, or itself. At least one. */
  readonly others: readonly Voice[];
  /** Endpoints that answered at all, whatever they said. */
  readonly answered: number;
  readonly why?: string | undefined;
}

/**
 * Returns where those who agree are believed against the others: a quorum of two at least, and more than half of all that
 * answered. One that has not got that far may yet side with the others, so it counts among those. Who is not believed is
 * remembered.
 * @throws LatentError CHAIN_DISAGREES
 */
export function overrule(
  { board, logger, quorum }: AgreementContext,
  what: string,
  contradiction: Contradiction,
): void {
  const { agreeing, others, answered, why } = contradiction;
  const [first] = agreeing;
  const isBelieved = quorum >= 2 && agreeing.length >= quorum && agreeing.length * 2 > answered;
  if (first !== undefined && isBelieved) {
    const against = `${agreeing.length} of ${answered} say: ${first.words}`;
    for (const { index, words } of others) board.noteDissent(index, `About ${what} it says: ${words}; ${against}.`);
    return;
  }
  const [one, other = one] = [...agreeing.slice(0, 1), ...others];
  if (one === undefined || other === undefined) return;
  throw disagreement(logger, what, {
    answers: [`${one.endpoint}: ${one.words}`, `${other.endpoint}: ${other.words}`],
    why,
  });
}

/** All endpoints that can be asked; those that fail as well, where there would be too few without them. */
export async function askAll<Result>(
  { endpoints, board, quorum, tryAt }: AgreementContext,
  work: (endpoint: Endpoint) => Promise<Result>,
): Promise<Answers<Result>> {
  const order = board.order();
  const usable = order.filter((index) => board.isUsable(index));
  const asked = usable.length >= quorum ? usable : order;
  const reasons: string[] = [];
  const answers = await Promise.all(
    asked.map(async (index): Promise<readonly Answer<Result>[]> => {
      try {
        return [{ index, endpoint: endpoints[index]?.name ?? '', result: await tryAt(index, work) }];
      } catch (thrown) {
        if (!isEndpointFault(thrown)) throw thrown;
        reasons.push(faultText(thrown));
        return [];
      }
    }),
  );
  return { answers: answers.flat(), reasons };
}

/** Two answers of which one at least is wrong. It is for a person to find out which. */
function disagreement(
  logger: Logger,
  what: string,
  { answers, why }: { readonly answers: readonly [string, string]; readonly why?: string | undefined },
): LatentError {
  const message = `Endpoints disagree about ${what}. ${answers[0]}; ${answers[1]}.${why === undefined ? '' : ` ${why}`}`;
  logger.error({ what, answers, why }, 'endpoints disagree');
  return new LatentError('CHAIN_DISAGREES', message, {
    hint: 'Nothing is decided on it. If it lasts, find out which endpoint is wrong and remove it.',
    details: { what, answers, ...(why === undefined ? {} : { why }) },
  });
}

interface TooFew {
  readonly agreeing: number;
  /** Answered, but have not got that far. */
  readonly without: number;
  readonly context: AgreementContext;
  readonly reasons: readonly string[];
}

export function tooFew(what: string, { agreeing, without, context: { quorum }, reasons }: TooFew): LatentError {
  const others = without === 0 ? '' : ` ${without} have not got that far.`;
  return new LatentError(
    'CHAIN_UNREACHABLE',
    `Only ${agreeing} of the ${quorum} endpoints that are needed state ${what}.${others} ${reasons.join(' ')}`.trimEnd(),
    {
      hint: 'Waiting is safe. With endpoints that fail for long, name others.',
      details: { what, agreeing, quorum, reasons },
    },
  );
}
