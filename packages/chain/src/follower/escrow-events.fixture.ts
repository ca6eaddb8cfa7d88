import { type LeaseId, leaseEscrowAbi, leaseIdSchema } from '@latent/protocol';
import {
  type Abi,
  type AbiParameter,
  type Address,
  encodeAbiParameters,
  type Hex,
  keccak256,
  numberToHex,
  pad,
  stringToHex,
  toEventSelector,
} from 'viem';
import type { FakeLog } from '../endpoints/fake-chain.fixture.ts';

export const ESCROW: Address = '0x1111111111111111111111111111111111111111';
export const OPERATORS: Address = '0x2222222222222222222222222222222222222222';

export const leaseIdOf = (seed: number | string): LeaseId =>
  leaseIdSchema.parse(keccak256(stringToHex(`lease ${seed}`)));

/** Events of the escrow, made after its ABI: what it does not name gets some value of its type. */
export function escrowLog(
  name: string,
  leaseId: LeaseId,
  values: Record<string, unknown> = {},
  abi: Abi = leaseEscrowAbi,
): FakeLog {
  const event = abi.find((item) => item.type === 'event' && item.name === name);
  if (event?.type !== 'event') throw new Error(`the ABI has no event ${name}`);
  const all: Record<string, unknown> = { leaseId, ...values };
  const valueFor = (input: AbiParameter) => all[input.name ?? ''] ?? sampleOf(input);
  const indexed = event.inputs.filter((input) => input.indexed === true);
  const rest = event.inputs.filter((input) => input.indexed !== true);
  return {
    address: ESCROW,
    topics: [toEventSelector(event), ...indexed.map((input) => word(valueFor(input)))],
    data: encodeAbiParameters(rest, rest.map(valueFor)),
  };
}

function word(value: unknown): Hex {
  if (typeof value === 'string' && value.startsWith('0x')) return pad(`0x${value.slice(2)}`, { size: 32 });
  return numberToHex(BigInt(String(value)), { size: 32 });
}

function sampleOf(parameter: AbiParameter): unknown {
  const { type } = parameter;
  if (type.endsWith('[]')) return [sampleOf({ ...parameter, type: type.slice(0, -2) })];
  if (type === 'tuple' && 'components' in parameter) {
    return Object.fromEntries(parameter.components.map((one) => [one.name, sampleOf(one)]));
  }
  if (type === 'address') return '0x3333333333333333333333333333333333333333';
  if (type === 'bytes32') return keccak256('0x');
  const bits = Number(type.replace(/^uint/, ''));
  if (Number.isNaN(bits)) throw new Error(`no sample of type ${type}`);
  return bits <= 48 ? 7 : 7n;
}
