"""Makes a proof of docs/proof.md in pure Python: `development` in seconds, `cpu` in minutes, `production` never.

Usage: python3 prove_reference.py OUT SET CONTEXT FILL COMPUTE BANDWIDTH SAMPLE LAYERS P0 P1 [PHASE:STATE]
OUT receives the raw bytes; SET is a name; context and beacons are 32 bytes in hexadecimal. With PHASE:STATE, two
numbers, the proof is a forged one: in every row of that phase zero bytes stand in for that state.
"""

import struct
import sys
from operator import mul
from pathlib import Path

sys.dont_write_bytecode = True

from keccak import keccak, keccak_many  # noqa: E402
from specification import (  # noqa: E402
    BANDWIDTH,
    CHUNK_BYTES,
    CHUNK_VALUES,
    COMPUTE,
    SETS,
    Header,
    code_of,
    first_seed,
    inputs,
    pack,
    plan_of,
    session_of,
    state_digests,
    tree,
    unpack,
    weight_rows,
)


def honest(phase, number, row, step, state):
    """What a prover puts down as a state: what was computed."""
    return state


class Phase:
    """One phase of a prover: all states of all passes, and their trees."""

    def __init__(self, parameters, phase, layers, passes, seed, layer_weights, put_down):
        self.parameters, self.phase, self.layers = parameters, phase, layers
        self.layer_weights, self.put_down = layer_weights, put_down
        self.seeds, self.states, self.trees = [seed], [], []
        for number in range(passes):
            self._run_pass(number)
        self.top = tree(self.seeds[1:])
        self.root = self.top[-1][0]

    def _run_pass(self, number):
        seed, steps = self.seeds[number], self.parameters.steps(self.phase, self.layers)
        rows = range(self.parameters.rows(self.phase))
        started = inputs(self.parameters, [(seed, row) for row in rows])
        states = [[self.put_down(self.phase, number, row, 0, started[row][0])] for row in rows]
        for step in range(steps):
            together = {}
            for row in rows:
                together.setdefault(self.parameters.layer_of(self.phase, row, step), []).append(row)
            for layer, of_layer in together.items():
                made = self._step(layer, [(states[row][step], started[row][1]) for row in of_layer])
                for row, state in zip(of_layer, made):
                    states[row].append(self.put_down(self.phase, number, row, step + 1, state))
        row_trees = [tree(state_digests(of_row)) for of_row in states]
        above = tree([levels[-1][0] for levels in row_trees])
        # Level by level the nodes of all rows side by side: one tree over the pass.
        within = [[node for levels in row_trees for node in levels[at]] for at in range(len(row_trees[0]) - 1)]
        self.states.append(states)
        self.trees.append(within + above)
        self.seeds.append(keccak(seed + above[-1][0]))

    def _step(self, layer, states_and_keys):
        """The next state of each (packed state, key). All rows lie side by side in one long integer per value."""
        width, keys = self.parameters.width, [key for _, key in states_and_keys]
        codes = [unpack(packed) for packed, _ in states_and_keys]
        count, sums_of_codes = len(codes), [sum(row) for row in codes]
        beside = [int.from_bytes(b"".join([bytes((row[k], 0, 0, 0)) for row in codes]), "little") for k in range(width)]
        made = [bytearray(width) for _ in codes]
        for output, gates in enumerate(self.layer_weights(layer)):
            sums = []
            for weight_row in gates:
                # Codes are 8 and weight bytes 128 too large, so that no lane of 32 bits ever borrows or overflows.
                raw = sum(map(mul, beside, weight_row)).to_bytes(4 * count, "little")
                excess = 8 * sum(weight_row) - 1024 * width
                lanes = struct.unpack(f"<{count}I", raw)
                sums.append([lane - 128 * of_row - excess for lane, of_row in zip(lanes, sums_of_codes)])
            for row, of_row in enumerate(zip(*sums)):
                made[row][output] = code_of(keys[row], layer, output, of_row)
        return [pack(row) for row in made]

    def open(self, openings):
        """The bytes of this phase's openings."""
        out = []
        for sample in openings.samples:
            states = self.states[sample.pass_][sample.row]
            following = states[sample.step + 1]
            chunks = [following[at : at + CHUNK_BYTES] for at in range(0, len(following), CHUNK_BYTES)]
            chosen = sample.output // CHUNK_VALUES
            digests = keccak_many(chunks)
            out += [states[sample.step], chunks[chosen], *digests[:chosen], *digests[chosen + 1 :]]
        out += [self.seeds[number] for number in openings.seeds]
        for level, index in openings.within:
            number, local = divmod(index, 1 << openings.depth_within - level)
            out.append(self.trees[number][level][local])
        out += [self.top[level][index] for level, index in openings.above]
        return b"".join(out)


def prove(number, context, beacons, layers, passes, put_down=honest):
    """
    number: of the parameter set. beacons: fill, compute, bandwidth, sample. passes: of both phases.
    put_down: what stands in for each state, to make proofs that are wrong in a chosen place.
    Returns the proof's bytes and its header.
    """
    parameters = SETS[number]
    session = session_of(parameters, context, beacons[0])
    cache = {}

    def layer_weights(layer):
        if layer not in cache:
            cache[layer] = list(weight_rows(parameters, session, [(layer, j) for j in range(parameters.width)]))
        return cache[layer]

    phases = []
    for phase in (COMPUTE, BANDWIDTH):
        seed = first_seed(session, phase, layers, beacons[1 + phase])
        phases.append(Phase(parameters, phase, layers, passes[phase], seed, layer_weights, put_down))
    header = Header(number, context, beacons, layers, passes, tuple(phase.root for phase in phases))
    openings = plan_of(header).openings
    body = b"".join(phase.open(openings[index]) for index, phase in enumerate(phases))
    return header.to_bytes() + body, header


def forging(phase_and_state):
    """A prover that puts down zero bytes for one state of every row of one phase."""
    wanted = tuple(int(text) for text in phase_and_state.split(":"))
    return lambda phase, number, row, step, state: bytes(len(state)) if (phase, step) == wanted else state


def main():
    if len(sys.argv) not in (11, 12):
        print(__doc__.strip(), file=sys.stderr)
        return 2
    out, name, *values = sys.argv[1:11]
    (number,) = (one.number for one in SETS.values() if one.name == name)
    context, *beacons = (bytes.fromhex(text.removeprefix("0x")) for text in values[:5])
    layers, *passes = (int(text) for text in values[5:])
    put_down = forging(sys.argv[11]) if len(sys.argv) == 12 else honest
    proof, _ = prove(number, context, tuple(beacons), layers, tuple(passes), put_down)
    Path(out).write_bytes(proof)
    return 0


if __name__ == "__main__":
    sys.exit(main())
