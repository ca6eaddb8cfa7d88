"""Verifies a proof of docs/proof.md (section 10) in pure Python, on one core.

Usage: python3 verify_proof.py FILE [NAME=VALUE …]
FILE holds the proof's bytes, or a JSON record with them in base64 in its field `proof`. Each NAME=VALUE is a part of
the challenge that the proof must answer: set, layers (numbers); context, fill, compute, bandwidth, sample (beacons),
commitment0, commitment1 (hexadecimal). What is not named is taken from the proof.
Prints one line. Exit status: 0 for a good proof, 1 for a bad one, 2 where there was nothing to verify.
"""

import base64
import binascii
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from keccak import keccak, keccak_many  # noqa: E402
from specification import (  # noqa: E402
    BANDWIDTH,
    CHUNK_BYTES,
    CHUNK_VALUES,
    COMPUTE,
    HEADER_BYTES,
    MAGIC,
    MOST_LAYERS,
    MOST_PASSES,
    SETS,
    Header,
    accumulate,
    code_of,
    inputs,
    leaf_of,
    parents,
    plan_of,
    state_digests,
    unpack,
    values_of,
    weight_rows,
)

BEACONS = ("fill", "compute", "bandwidth", "sample")
# Section 10 names no number. With the most layers and passes, and samples that share as few nodes as samples can, a
# proof of `production` has at most 1,026,225 bytes.
MOST_PROOF_BYTES = 1 << 20


class ProofError(Exception):
    """A proof that is refused. `code` is one of section 10."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")


def read_header(data):
    if len(data) < HEADER_BYTES:
        raise ProofError("PROOF_MALFORMED", "it ends within its header")
    reader = Reader(data)
    if reader.take(4) != MAGIC:
        raise ProofError("PROOF_MALFORMED", "it does not begin with LPF1")
    header = Header(
        number=reader.number(1),
        context=reader.take(32),
        beacons=tuple(reader.take(32) for _ in BEACONS),
        layers=reader.number(4),
        passes=(reader.number(4), reader.number(4)),
        phase_roots=(reader.take(32), reader.take(32)),
    )
    if header.number not in SETS:
        raise ProofError("PROOF_MALFORMED", f"there is no set {header.number}")
    lanes = SETS[header.number].lanes
    if not lanes <= header.layers <= MOST_LAYERS or header.layers % lanes != 0:
        raise ProofError("PROOF_MALFORMED", f"{header.layers} layers")
    if not all(1 <= passes <= MOST_PASSES for passes in header.passes):
        raise ProofError("PROOF_MALFORMED", f"{header.passes} passes")
    return header


def check_challenge(header, plan, challenge):
    found = {
        **{"set": header.number, "layers": header.layers, "context": header.context},
        **dict(zip(BEACONS, header.beacons)),
        **{"commitment0": plan.commitments[COMPUTE], "commitment1": plan.commitments[BANDWIDTH]},
    }
    for name, wanted in challenge.items():
        if found[name] != wanted:
            raise ProofError("PROOF_MISMATCH", f"another {name}")


class OpenedPhase:
    """The openings of one phase, read but not believed."""

    def __init__(self, reader, parameters, openings):
        self.openings = openings
        self.entries = []
        for _ in openings.samples:
            state, chunk = reader.take(parameters.width // 2), reader.take(CHUNK_BYTES)
            self.entries.append((state, chunk, [reader.take(32) for _ in range(parameters.chunks - 1)]))
        self.seeds = {number: reader.take(32) for number in openings.seeds}
        self.within = {place: reader.take(32) for place in openings.within}
        self.above = {place: reader.take(32) for place in openings.above}


def put(known, place, node):
    """Notes a node. Refuses one that differs from what was noted before."""
    if known.setdefault(place, node) != node:
        raise ProofError("PROOF_BAD_OPENING", "two samples differ in what they open")


def climb(known, siblings, depth):
    """The nodes `depth` levels above the known leaves, by index."""
    for level in range(depth):
        known.update((index, node) for (at, index), node in siblings.items() if at == level)
        indices = sorted({index >> 1 for index in known})
        known = dict(zip(indices, parents([(known[2 * index], known[2 * index + 1]) for index in indices])))
    return known


def check_opening(parameters, phase, header, first_seed, opened):
    """Check 5. Returns the seed of every sampled pass."""
    samples, openings = opened.openings.samples, opened.openings
    before = state_digests([state for state, _, _ in opened.entries])
    chunks = keccak_many(chunk for _, chunk, _ in opened.entries)
    after = []
    for sample, chunk, (_, _, others) in zip(samples, chunks, opened.entries):
        at = sample.output // CHUNK_VALUES
        after.append(b"".join([*others[:at], chunk, *others[at:]]))
    leaves = {}
    for sample, digest, following in zip(samples, before, keccak_many(after)):
        put(leaves, leaf_of(parameters, phase, header.layers, sample, sample.step), digest)
        put(leaves, leaf_of(parameters, phase, header.layers, sample, sample.step + 1), following)
    pass_roots = climb(leaves, opened.within, openings.depth_within)
    seeds = {number: opened.seeds.get(number, first_seed) for number in pass_roots}
    tops = {}
    for number in sorted(pass_roots):
        if number > 0:
            put(tops, number - 1, seeds[number])
        put(tops, number, keccak(seeds[number] + pass_roots[number]))
    if climb(tops, opened.above, openings.depth_above)[0] != header.phase_roots[phase]:
        raise ProofError("PROOF_BAD_OPENING", f"the root of phase {phase} is another")
    return seeds


def check_inputs(parameters, samples, opened, started):
    """Check 6."""
    for sample, (state, _, _) in zip(samples, opened.entries):
        if sample.step == 0 and state != started[sample.pass_, sample.row][0]:
            raise ProofError("PROOF_WRONG_INPUT", f"{sample}")


def check_entries(parameters, phase, session, samples, opened, started):
    """Check 7."""
    columns = [(parameters.layer_of(phase, sample.row, sample.step), sample.output) for sample in samples]
    distinct = list(dict.fromkeys(columns))
    weights = dict(zip(distinct, weight_rows(parameters, session, distinct)))
    for sample, column, (state, chunk, _) in zip(samples, columns, opened.entries):
        values = values_of(state)
        sums = [accumulate(values, row) for row in weights[column]]
        key = started[sample.pass_, sample.row][1]
        if unpack(chunk)[sample.output % CHUNK_VALUES] != code_of(key, *column, sums):
            raise ProofError("PROOF_WRONG_ENTRY", f"{sample}")


def verify(data, challenge=None):
    """
    data: the bytes of a proof. challenge: the parts of the challenge that the proof must answer, by name.
    Returns the header of a good proof. Raises ProofError for a bad one.
    """
    if len(data) > MOST_PROOF_BYTES:
        raise ProofError("PROOF_TOO_LARGE", f"{len(data)} bytes")
    header = read_header(data)
    plan = plan_of(header)
    check_challenge(header, plan, challenge or {})
    if len(data) != plan.byte_count:
        raise ProofError("PROOF_WRONG_LENGTH", f"{len(data)} bytes instead of {plan.byte_count}")
    parameters, reader = plan.parameters, Reader(data)
    reader.take(HEADER_BYTES)
    opened = [OpenedPhase(reader, parameters, openings) for openings in plan.openings]
    started = []
    for phase in (COMPUTE, BANDWIDTH):
        seeds = check_opening(parameters, phase, header, plan.seeds[phase], opened[phase])
        rows = list(dict.fromkeys((sample.pass_, sample.row) for sample in plan.openings[phase].samples))
        made = inputs(parameters, [(seeds[number], row) for number, row in rows])
        started.append(dict(zip(rows, made)))
    for phase in (COMPUTE, BANDWIDTH):
        check_inputs(parameters, plan.openings[phase].samples, opened[phase], started[phase])
    for phase in (COMPUTE, BANDWIDTH):
        samples = plan.openings[phase].samples
        check_entries(parameters, phase, plan.session, samples, opened[phase], started[phase])
    return header


def read_proof(path):
    """The proof's bytes in a file. Raises ValueError for a record that holds none."""
    data = Path(path).read_bytes()
    if not data.lstrip().startswith(b"{"):
        return data
    try:
        return base64.b64decode(json.loads(data)["proof"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as cause:
        raise ValueError(f"{path} has no proof in base64 in its field `proof`") from cause


def read_challenge(arguments):
    challenge = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if name in ("set", "layers"):
            challenge[name] = int(value)
        elif name in ("context", *BEACONS, "commitment0", "commitment1"):
            challenge[name] = bytes.fromhex(value.removeprefix("0x"))
        else:
            raise ValueError(f"a challenge has no {name}")
    return challenge


def main():
    if len(sys.argv) < 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        data, challenge = read_proof(sys.argv[1]), read_challenge(sys.argv[2:])
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    try:
        header = verify(data, challenge)
    except ProofError as problem:
        print(f"{problem.code}: {problem}")
        return 1
    passes = " and ".join(str(count) for count in header.passes)
    print(f"good: set {SETS[header.number].name}, {header.layers} layers, {passes} passes, {len(data)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
