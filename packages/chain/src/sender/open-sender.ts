import { LatentError, toLatentError } from '@latent/protocol';
import type { ContractCall } from '@latent/sdk';
import { createOutbox } from './outbox.ts';
import { prepareWish } from './prepare-wish.ts';
import type { Sender, SenderOptions, SendOptions, SendOutcome, SentRecord } from './sender.ts';
import { type SenderContext, type SenderSettings, toSendError } from './sender-context.ts';
import type { Wish } from './sender-schema.ts';
import { tendNonces } from './tend-nonces.ts';

/*
 * A wish (a call, its key, the most it may cost) and what can become of it. Every step is in the outbox, synced, before
 * anything is sent.
 *
 * | state       | means                                                  | goes to, when                                   |
 * | ----------- | ------------------------------------------------------ | ----------------------------------------------- |
 * | wanted      | nothing of it is under way                             | done: the effect is there already               |
 * |             |                                                        | refused: simulated, and the contract refuses;   |
 * |             |                                                        |   or the fees are beyond what is allowed        |
 * |             |                                                        | signed: nonce and bytes are stored              |
 * | signed      | may have been sent; sent again, and raised when stuck  | mined: a quorum has its receipt, in its block   |
 * |             |                                                        | wanted: somebody else's transaction used the    |
 * |             |                                                        |   nonce, deep enough; or ours was cancelled     |
 * |             |                                                        | done, refused: found when it was to be raised   |
 * | mined       | in a block that is not deep enough                     | signed: it is not in the chain any more         |
 * |             |                                                        | confirmed, reverted: deep enough                |
 * | confirmed   | mined for good, successfully                           | done: the effect is there                       |
 * |             |                                                        | ineffective: it is not, after some patience     |
 * |             |                                                        | signed: the receipt has vanished meanwhile      |
 * | done        | the end: the effect is there                           | –                                               |
 * | refused     | an end: nothing was mined for it                       | wanted, when it is sent again by its key        |
 * | reverted    | an end: mined for good, and the contract refused       | done: the effect is there in spite of it        |
 * |             |                                                        | wanted, when it is sent again by its key        |
 * | ineffective | an end: mined for good, in vain                        | wanted, when it is sent again by its key        |
 *
 * Beside its state a wish has a nonce, settled or not. done and refused can come while the nonce is unsettled: then
 * it is looked after until it is used, by an empty transaction if others wait behind it. What all attempts of a wish
 * have cost is added up, and no attempt is signed that could cost more than is left of the most.
 */

const CONFIRMATIONS = 3n;
const STUCK_AFTER_MS = 45_000;
const MOST_REPLACEMENTS = 12;
const MOST_TIP_WEI_PER_GAS = 2_000_000_000n;
const POLL_MS = 1_000;
const EFFECT_PATIENCE_MS = 30_000;
const MAX_KEY_CHARACTERS = 200;

/** Opens the sender of one account over what its store holds. Sends nothing yet. */
export function openSender(options: SenderOptions): Sender {
  const { endpoints, account, store, clock, logger } = options;
  const effects = new Map<string, () => Promise<boolean>>();
  const outbox = createOutbox({ store, clock, chainId: endpoints.chainId, account: account.address });
  const context: SenderContext = {
    ...{ endpoints, account, outbox, clock, logger, effects },
    settings: settingsOf(options),
  };
  let problem: LatentError | undefined;
  let last: Promise<unknown> = Promise.resolve();

  /** One thing at a time: nonces follow each other. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  }

  async function tendOnce(): Promise<void> {
    try {
      problem = await tendNonces(context);
    } catch (thrown) {
      problem = toSendError(thrown);
      throw problem;
    }
  }

  /** What is wrong with one transaction is no error of those that wait for another. */
  async function tendInTurn(): Promise<void> {
    await inTurn(tendOnce).catch((thrown: unknown) => {
      const { code, message } = toLatentError(thrown);
      logger.warn({ code, error: message }, 'could not look after transactions; trying again');
    });
  }

  async function goOn(key: string, send: SendOptions): Promise<SendOutcome | undefined> {
    await tendInTurn();
    const wish = outbox.find(key);
    if (wish?.state === 'wanted') await inTurn(() => prepareWish(context, key, send));
    return endOf(context, key, send);
  }

  async function send(call: ContractCall, wanted: SendOptions): Promise<SendOutcome> {
    const { idempotencyKey: key, mostWei, isDone, signal } = wanted;
    if (key.length === 0 || key.length > MAX_KEY_CHARACTERS || mostWei < 0n) {
      throw new LatentError(
        'INTERNAL',
        `A key of ${key.length} characters or a most of ${mostWei} wei cannot be used.`,
      );
    }
    outbox.begin(key, call, mostWei);
    effects.set(key, isDone);
    try {
      for (;;) {
        if (signal.aborted) throw cancelled(key);
        const outcome = await goOn(key, wanted).catch((thrown: unknown) => {
          const error = toSendError(thrown);
          const isUnderWay = outbox.find(key)?.nonce !== undefined;
          if (error.retry === 'never' || !isUnderWay) throw error;
          logger.warn(
            { key, code: error.code, error: error.message },
            'could not look after a transaction; trying again',
          );
          return undefined;
        });
        if (outcome !== undefined) return outcome;
        await clock.sleep(context.settings.pollMs, { signal }).catch(() => undefined);
      }
    } finally {
      if (effects.get(key) === isDone) effects.delete(key);
    }
  }

  async function tend(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await tendInTurn();
      await clock.sleep(context.settings.pollMs, { signal }).catch(() => undefined);
    }
  }

  const recordOf = (wish: Wish): SentRecord => ({
    ...{ idempotencyKey: wish.key, state: wish.state, call: wish.call, nonce: wish.nonce },
    ...{ hashes: outbox.allHashes(wish.key), mostWei: wish.mostWei, spentWei: wish.spentWei },
    ...{ problem: wish.problem, createdAtMs: wish.createdAtMs },
  });

  return {
    send,
    tend,
    find: (key) => {
      const wish = outbox.find(key);
      return wish === undefined ? undefined : recordOf(wish);
    },
    status: () => ({ open: outbox.open().map(recordOf), problem }),
  };
}

/** How a wish has ended; undefined while it has not. */
async function endOf(context: SenderContext, key: string, { isDone }: SendOptions): Promise<SendOutcome | undefined> {
  const { outbox, clock, endpoints, settings } = context;
  const wish = outbox.find(key);
  switch (wish?.state) {
    case undefined:
      throw new LatentError('STORE_FAILED', `The wish ${key} is not in the store any more.`);
    case 'wanted':
    case 'signed':
    case 'mined':
      return undefined;
    case 'confirmed':
      if (await isDone()) return finish(context, wish, 'us');
      if (clock.nowMs() - (wish.confirmedAtMs ?? 0) < settings.effectPatienceMs) return undefined;
      if (wish.minedHash !== undefined && (await endpoints.agreedReceipt(wish.minedHash)) === undefined) {
        outbox.unsettle(wish);
        return undefined;
      }
      outbox.fail(key, 'ineffective', 'CHAIN_NO_EFFECT', `Transaction ${wish.minedHash} was mined in vain.`);
      throw inVain(wish);
    case 'reverted':
      if (await isDone()) return finish(context, wish, 'others');
      outbox.fail(key, 'reverted', 'CHAIN_REVERTED', `Transaction ${wish.minedHash} was mined, but refused.`);
      throw revertedError(wish);
    case 'refused':
      throw new LatentError(wish.problemCode ?? 'CHAIN_REVERTED', wish.problem ?? 'The contract refused the call.', {
        details: { key },
      });
    case 'ineffective':
      throw inVain(wish);
    case 'done':
      return outcomeOf(context, wish, wish.doneBy ?? 'others');
  }
}

async function finish(context: SenderContext, wish: Wish, by: 'us' | 'others'): Promise<SendOutcome> {
  context.outbox.finish(wish.key, by);
  return outcomeOf(context, wish, by);
}

async function outcomeOf(context: SenderContext, wish: Wish, by: 'us' | 'others'): Promise<SendOutcome> {
  const { endpoints, logger } = context;
  const hash = wish.isSettled ? wish.minedHash : undefined;
  try {
    const receipt = hash === undefined ? undefined : await endpoints.agreedReceipt(hash);
    return { by, receipt, spentWei: wish.spentWei };
  } catch (thrown) {
    const { code, message } = toSendError(thrown);
    logger.warn({ key: wish.key, hash, code, error: message }, 'done, but its receipt cannot be had just now');
    return { by, receipt: undefined, spentWei: wish.spentWei };
  }
}

function settingsOf(options: SenderOptions): SenderSettings {
  return {
    confirmations: options.confirmations ?? CONFIRMATIONS,
    stuckAfterMs: options.stuckAfterMs ?? STUCK_AFTER_MS,
    mostReplacements: options.mostReplacements ?? MOST_REPLACEMENTS,
    mostTipWeiPerGas: options.mostTipWeiPerGas ?? MOST_TIP_WEI_PER_GAS,
    pollMs: options.pollMs ?? POLL_MS,
    effectPatienceMs: options.effectPatienceMs ?? EFFECT_PATIENCE_MS,
    mostWeiPerFiller: options.mostWeiPerFiller ?? 0n,
  };
}

function cancelled(key: string): LatentError {
  return new LatentError('CANCELLED', `Waiting for ${key} was stopped; what was sent may still be mined.`, {
    hint: 'Send it again by the same key to go on.',
    details: { key },
  });
}

function inVain({ key, minedHash, spentWei }: Wish): LatentError {
  return new LatentError(
    'CHAIN_NO_EFFECT',
    `Transaction ${minedHash} was mined, but what it was for has not happened.`,
    {
      hint: 'Find out why before it is sent again.',
      details: { key, hash: minedHash ?? null, spentWei },
    },
  );
}

function revertedError({ key, minedHash, spentWei }: Wish): LatentError {
  return new LatentError('CHAIN_REVERTED', `Transaction ${minedHash} was mined, but the contract refused it.`, {
    details: { key, hash: minedHash ?? null, spentWei },
  });
}
