"""Makes a proof of docs/proof.md in pure Python: slow, for the `development` set only in practice.

Usage: python3 prove_reference.py OUT CONTEXT FILL COMPUTE BANDWIDTH SAMPLE LAYERS P0 P1
OUT receives the raw bytes; context and beacons are 32 bytes in hexadecimal.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

from specification import (  # noqa: E402
    BANDWIDTH,
    CHUNK_BYTES,
    CHUNK_VALUES,
    COMPUTE,
    SETS,
    Header,
    accumulate,
    code_of,
    first_seed,
    inputs,
    pack,
    plan_of,
    session_of,
    state_digests,
    tree,
    values_of,
    weight_rows,
)
from keccak import keccak, keccak_many  # noqa: E402


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
            for row in rows:
                layer = self.parameters.layer_of(self.phase, row, step)
                made = self._step(states[row][step], started[row][1], layer)
                states[row].append(self.put_down(self.phase, number, row, step + 1, made))
        row_trees = [tree(state_digests(of_row)) for of_row in states]
        above = tree([levels[-1][0] for levels in row_trees])
        # Level by level the nodes of all rows side by side: one tree over the pass.
        within = [[node for levels in row_trees for node in levels[at]] for at in range(len(row_trees[0]) - 1)]
        self.states.append(states)
        self.trees.append(within + above)
        self.seeds.append(keccak(seed + above[-1][0]))

    def _step(self, packed, key, layer):
        values = values_of(packed)
        columns = self.layer_weights(layer)
        codes = [
            code_of(key, layer, output, [accumulate(values, row) for row in columns[output]])
            for output in range(self.parameters.width)
        ]
        return pack(bytes(codes))

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


def main():
    if len(sys.argv) != 10:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    context, *beacons = (bytes.fromhex(text.removeprefix("0x")) for text in sys.argv[2:7])
    layers, *passes = (int(text) for text in sys.argv[7:10])
    proof, _ = prove(3, context, tuple(beacons), layers, tuple(passes))
    Path(sys.argv[1]).write_bytes(proof)
    return 0


if __name__ == "__main__":
    sys.exit(main())
