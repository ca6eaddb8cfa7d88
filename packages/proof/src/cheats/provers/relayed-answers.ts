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
  sum: 'Assumed: the fast device costs p an hour, billed by the second, and is leased at the same p; a proof takes 90 s with its start, four rounds a day; the renter’s own proof in the lease, of the same form, two minutes. Cost: 4 × 90 ÷ 3600 × p = 0.1 p a day, for a listing that is paid nothing for having passed. Gain: what a lease pays until the renter’s proof is scored 1/4 and ends it: 2 ÷ 60 × p = 0.033 p. It loses unless three leases a day begin with an operator who fails each of them, and a refund of those two minutes takes even that. With p = $2.69 (an H100 at RunPod, May 2026): $0.27 a day against $0.09. To keep the fast device for the lease costs p for p: then the renter has what was offered.',
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
