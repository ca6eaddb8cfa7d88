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

export type Answer<Result> = Stated<Result>;

export interface Answers<Result> {
  readonly answers: readonly Answer<Result>[];
  /** Why the others did not answer. */
  readonly reasons: readonly string[];
}

/** As `Endpoints.agree`. */
export async function agree<Result>(
  context: AgreementContext,
  { what, work, inWords, explain }: Question<Result>,
): Promise<Result | undefined> {
  const { answers, reasons } = await askAll(context, work);
  const there = answers.flatMap(({ endpoint, result }) => (result === undefined ? [] : [{ endpoint, result }]));
  const [first] = there;
  if (first !== undefined) {
    const words = inWords(first.result);
    const other = there.find(({ result }) => inWords(result) !== words);
    if (other !== undefined) {
      throw disagreement(context.logger, what, {
        answers: [`${first.endpoint}: ${words}`, `${other.endpoint}: ${inWords(other.result)}`],
        why: explain?.(first, other),
      });
    }
  }
  if (there.length >= context.quorum) return first?.result;
  if (there.length === 0 && answers.length >= context.quorum) return undefined;
  throw tooFew(what, { agreeing: there.length, without: answers.length - there.length, context, reasons });
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
        return [{ endpoint: endpoints[index]?.name ?? '', result: await tryAt(index, work) }];
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
export function disagreement(
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
