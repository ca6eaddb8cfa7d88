import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { connectRing } from './all-reduce.ts';
import { heldOutShard, readDataFile, trainingShard } from './digits-data.ts';
import { toModel } from './model.ts';
import { PeerError } from './peer-link.ts';
import { defaultSchedule, type EpochReport, train, weightsDigest } from './training.ts';

/** Exit codes: 2 for wrong settings, 3 for a lost peer, 4 for ranks that disagree. */
const exitCodes = { settings: 2, peer: 3, disagreement: 4 } as const;

class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

interface Settings {
  readonly rank: number;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly epochs: number;
  readonly runId: string;
}

function readSettings(env: NodeJS.ProcessEnv): Settings {
  const addresses = (env['SKYPILOT_NODE_IPS'] ?? '127.0.0.1').split('\n').map((line) => line.trim());
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new SettingsError(`SKYPILOT_NODE_IPS holds ${JSON.stringify(wrong)}, no IP address`);
  const ranks = wholeNumber(env, 'SKYPILOT_NUM_NODES', addresses.length, 1, 64);
  if (ranks !== addresses.length)
    throw new SettingsError(`SKYPILOT_NUM_NODES is ${ranks}, but there are ${addresses.length} IPs`);
  return {
    rank: wholeNumber(env, 'SKYPILOT_NODE_RANK', 0, 0, ranks - 1),
    addresses,
    port: wholeNumber(env, 'DIGITS_PORT', 29_500, 1, 65_535),
    epochs: wholeNumber(env, 'DIGITS_EPOCHS', defaultSchedule.epochs, 1, 10_000),
    runId: (env['SKYPILOT_TASK_ID'] ?? '').slice(0, 200),
  };
}

function wholeNumber(env: NodeJS.ProcessEnv, name: string, otherwise: number, least: number, most: number): number {
  const value = Number(env[name] ?? otherwise);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SettingsError(`${name} is ${JSON.stringify(env[name])}, expected a whole number from ${least} to ${most}`);
}

async function run(settings: Settings): Promise<number> {
  const { rank, addresses } = settings;
  const ranks = addresses.length;
  const schedule = { ...defaultSchedule, epochs: settings.epochs };
  const { csv, sha256 } = readDataFile();
  const shard = trainingShard(csv, rank, ranks);
  console.log(`rank ${rank} of ${ranks} at ${addresses[rank]}: ${shard.rows} training images`);
  const ring = await connectRing({ ...settings, connectTimeoutMs: 60_000, stallTimeoutMs: 20_000 });
  const onEpoch = (report: EpochReport): void => showEpoch(report, rank);
  const trained = await train({
    schedule,
    rank,
    ranks,
    shard,
    heldOut: heldOutShard(csv, rank, ranks),
    allReduce: (vector) => ring.allReduce(vector),
    onEpoch,
  });
  const strayed = await ranksUnlikeFirst(trained.parameters, rank, ranks, (vector) => ring.allReduce(vector));
  ring.close();
  if (strayed.length > 0) {
    console.error(`rank ${rank}: the weights of ranks ${strayed.join(', ')} differ from those of rank 0`);
    return exitCodes.disagreement;
  }
  if (rank === 0) {
    mkdirSync('outputs', { recursive: true });
    writeFileSync('outputs/model.json', JSON.stringify(toModel(trained, { schedule, ranks, dataSha256: sha256 })));
    console.log(`all ${ranks} ranks hold the same weights, accuracy ${percent(trained.accuracy)}: outputs/model.json`);
  }
  return 0;
}

/** One line for the live screen on each rank, one for people on rank 0. */
function showEpoch({ epoch, epochs, loss, accuracy }: EpochReport, rank: number): void {
  const rounded = { epoch, epochs, loss: Number(loss.toFixed(4)), accuracy: Number(accuracy.toFixed(4)) };
  console.log(`::progress ${JSON.stringify(rounded)}`);
  if (rank === 0) console.log(`epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}, accuracy ${percent(accuracy)}`);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Ranks whose weights are not bit for bit those of rank 0: each puts its digest into its own place of a sum. */
async function ranksUnlikeFirst(
  parameters: Float64Array,
  rank: number,
  ranks: number,
  allReduce: (vector: Float64Array) => Promise<void>,
): Promise<number[]> {
  const digest = weightsDigest(parameters);
  const digests = new Float64Array(digest.length * ranks);
  digests.set(digest, rank * digest.length);
  await allReduce(digests);
  const of = (index: number): string => digests.subarray(index * digest.length, (index + 1) * digest.length).join();
  return Array.from({ length: ranks }, (_, index) => index).filter((index) => of(index) !== of(0));
}

try {
  process.exitCode = await run(readSettings(process.env));
} catch (error) {
  if (!(error instanceof PeerError || error instanceof SettingsError)) throw error;
  console.error(`rank ${process.env['SKYPILOT_NODE_RANK'] ?? 0}: ${error.message}`);
  // Not by exitCode: a retry that still waits would keep a rank alive whose peers are gone.
  process.exit(error instanceof PeerError ? exitCodes.peer : exitCodes.settings);
}
