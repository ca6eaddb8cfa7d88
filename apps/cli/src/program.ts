import { Command } from '@commander-js/extra-typings';
import { addBalanceDeposit } from './commands/balance/deposit.ts';
import { addBalanceShow } from './commands/balance/show.ts';
import { addBalanceWithdraw } from './commands/balance/withdraw.ts';
import { addBill } from './commands/cluster/bill.ts';
import { addDown } from './commands/cluster/down.ts';
import { addExec } from './commands/cluster/exec.ts';
import { addLaunch } from './commands/cluster/launch.ts';
import { addLogs } from './commands/cluster/logs.ts';
import { addStatus } from './commands/cluster/status.ts';
import { addDeviceList } from './commands/device/list.ts';
import { addDeviceProve } from './commands/device/prove.ts';
import { addDevnetDemo } from './commands/devnet/demo.ts';
import { addDevnetDown } from './commands/devnet/down.ts';
import { addDevnetStatus } from './commands/devnet/status.ts';
import { addDevnetUp } from './commands/devnet/up.ts';
import { addKeeperStart } from './commands/keeper/start.ts';
import { addKeeperStatus } from './commands/keeper/status.ts';
import { addMeterExport } from './commands/meter/export.ts';
import { addMeterOffline } from './commands/meter/offline.ts';
import { addMeterRun } from './commands/meter/run.ts';
import { addNetworkDeploy } from './commands/network/deploy.ts';
import { addDoctor } from './commands/network/doctor.ts';
import { addNetworkVerify } from './commands/network/verify.ts';
import { addProofCheats } from './commands/proof/cheats.ts';
import { addProofVerify } from './commands/proof/verify.ts';
import { addRelayJoin } from './commands/relay/join.ts';
import { addSessionCreate } from './commands/session/create.ts';
import { addSessionList } from './commands/session/list.ts';
import { addSessionRevoke } from './commands/session/revoke.ts';
import { addWatchtowerStart } from './commands/watchtower/start.ts';
import { addWatchtowerStatus } from './commands/watchtower/status.ts';
import { exitCodeMeanings, exitCodes } from './exit-codes.ts';

function exitCodeHelp(): string {
  const lines = Object.entries(exitCodeMeanings).map(([name, meaning]) => {
    const code = Object.entries(exitCodes).find(([known]) => known === name)?.[1];
    return `  ${String(code).padStart(3)}  ${meaning}`;
  });
  return `\nExit codes:\n${lines.join('\n')}`;
}

/** The command line of Latent. Each command is one file below `commands/`. */
export function createProgram(): Command {
  const program = new Command('latent')
    .description('Rent a cluster of machines from many operators with one command, and pay per second.')
    .showHelpAfterError('(see --help)')
    // Commands inherit it. The message has been printed; commander itself would end with 1, "something failed".
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.ok : exitCodes.usage))
    .addHelpText(
      'after',
      `\nExample:\n  $ latent devnet up && latent launch examples/digits/task.yaml\n${exitCodeHelp()}`,
    );
  addLaunch(program);
  addStatus(program);
  addLogs(program);
  addExec(program);
  addBill(program);
  addDown(program);
  addDoctor(program);
  const session = program.command('session').summary('keys that rent within limits, so that you sign once');
  addSessionCreate(session);
  addSessionList(session);
  addSessionRevoke(session);
  const balance = program.command('balance').summary('money that the escrow keeps for you');
  addBalanceShow(balance);
  addBalanceDeposit(balance);
  addBalanceWithdraw(balance);
  const device = program.command('device').summary('the devices of this machine');
  addDeviceList(device);
  addDeviceProve(device);
  const proof = program.command('proof').summary('proofs of hardware');
  addProofVerify(proof);
  addProofCheats(proof);
  const keeper = program.command('keeper').summary('see leases paid and closed, for operators who named you');
  addKeeperStart(keeper);
  addKeeperStatus(keeper);
  const watchtower = program.command('watchtower').summary('see operators paid while they are away');
  addWatchtowerStart(watchtower);
  addWatchtowerStatus(watchtower);
  const relay = program.command('relay').summary('be paid for what your book relays');
  addRelayJoin(relay);
  const network = program.command('network').summary('the contracts that a network stands on');
  addNetworkDeploy(network);
  addNetworkVerify(network);
  const devnet = program.command('devnet').summary('a whole network on this machine: chain, books, operators');
  addDevnetUp(devnet);
  addDevnetStatus(devnet);
  addDevnetDown(devnet);
  addDevnetDemo(devnet);
  const meter = program.command('meter').summary('what pays a cluster by the second');
  addMeterOffline(meter);
  addMeterExport(meter);
  addMeterRun(meter);
  return program;
}
