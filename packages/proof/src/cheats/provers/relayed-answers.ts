import { type Cheat, honestClaims } from '../cheat.ts';
import type { DeviceModel } from '../stage/device-model.ts';
import { misbehave, modelOf, type Stage } from '../stage/stage.ts';

const FASTER = 4;

/**
 * Lets a rented, four times faster device answer, for the length of a proof.
 *
 * Gains: a listing as what it is not. Not caught by a proof, which shows that somebody did the work at the operator's word,
 * and not where. Its price is paid for every round, and its listing earns nothing by itself.
 */
export const relayedAnswers: Cheat = {
  name: 'relayed-answers',
  summary: 'forwards the challenge to a rented device that is four times faster',
  claims: { ...honestClaims, operations: FASTER, bandwidth: FASTER },
  predicted: 'n/a: economics',
  stoppedBy: 'economics',
  explanation:
    'The proof is right, as the work was done. It does not show where. A renter’s own challenge inside the lease does, as the device that runs the job has to answer it.',
  sum: 'Assumed: $4 for an hour of the fast device, billed by the second, 90 s for a proof with its start, four rounds a day: 4 × 90 ÷ 3600 × $4 = $0.40 a day, $2.80 a week, for a listing that is paid nothing for having passed. The first lease ends it: the renter’s own proof in the lease, of the same form and a minute long, is scored 1/4, so the lease is refunded. To keep the fast device for the lease costs its full price: then the renter has what was offered, and nobody was cheated. Where a stake is at risk, one lease that is opened to try the operator every week takes it within a week.',
  begin: (stage) => misbehave(stage, {}, faster(modelOf(stage), FASTER)),
};

/**
 * Two devices, each with half of the layers, answer as one with twice the memory and twice the speed.
 *
 * Not caught: states that go from one to the other are small (a row takes n/2 bytes), so that a fast link costs little.
 */
export const twoDevicesAsOne: Cheat = {
  name: 'two-devices-as-one',
  summary: 'two devices, each with half of the layers, answer as one',
  claims: { operations: 2, memory: 2, bandwidth: 2 },
  predicted: 'n/a: economics',
  stoppedBy: 'economics',
  explanation:
    'The proof shows that so much memory is read so fast, not that it hangs on one chip. Nothing here detects it; a renter whose job needs it in one piece finds out with a proof of its own by one process on one device.',
  sum: 'Pay is linear in the measured numbers: two devices as one are paid 2 × 1 = 2, and two devices as two are paid 1 + 1 = 2. The gain is 0, and it takes a link and a lease that both are bound to. A premium on large devices above linear would break this sum: there must be none.',
  device: (stage) => ({ ...modelOf(stage), layers: modelOf(stage).layers / 2 }),
  begin: (stage: Stage) => misbehave(stage, {}, faster(modelOf(stage), 2)),
};

function faster(model: DeviceModel, times: number): DeviceModel {
  return { ...model, products: model.products * times, bytesRead: model.bytesRead * times };
}
