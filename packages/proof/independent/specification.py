"""Sections 1 to 9 of docs/proof.md, written from that page alone: everything a prover and a verifier must agree on."""

from dataclasses import dataclass
from operator import mul

from keccak import keccak, keccak_many

ABSENT = bytes(32)
MASK = 0xFFFFFFFF
MAGIC = b"LPF1"
HEADER_BYTES = 4 + 1 + 32 + 4 * 32 + 3 * 4 + 2 * 32
CHUNK_BYTES = 128
CHUNK_VALUES = 256
MOST_LAYERS = 65_536
MOST_PASSES = 65_536
COMPUTE, BANDWIDTH = 0, 1

LOW = bytes(code & 15 for code in range(256))
HIGH = bytes(code >> 4 for code in range(256))


def word(number):
    return number.to_bytes(32, "big")


def tag(text):
    return keccak(text.encode("ascii"))


@dataclass(frozen=True)
class ParameterSet:
    """One column of the table in section 2."""

    name: str
    number: int
    width: int
    gates: int
    links: int
    compute_rows: int
    lanes: int
    rows_of_a_lane: int
    samples: int

    def rows(self, phase):
        return self.compute_rows if phase == COMPUTE else self.lanes * self.rows_of_a_lane

    def steps(self, phase, layers):
        return layers if phase == COMPUTE else layers // self.lanes

    def layer_of(self, phase, row, step):
        return step if phase == COMPUTE else step * self.lanes + row // self.rows_of_a_lane

    @property
    def chunks(self):
        return self.width // CHUNK_VALUES

    @property
    def opening_bytes(self):
        return self.width // 2 + CHUNK_BYTES + 32 * (self.chunks - 1)


SETS = {
    one.number: one
    for one in (
        ParameterSet("production", 1, 2048, 16, 4, 8192, 4, 8, 160),
        ParameterSet("cpu", 2, 1024, 4, 2, 256, 4, 1, 160),
        ParameterSet("development", 3, 256, 2, 1, 32, 2, 2, 160),
    )
}


def session_of(parameters, context, fill_beacon):
    return keccak(tag("latent/proof/1/session") + word(parameters.number) + context + fill_beacon)


def first_seed(session, phase, layers, phase_beacon):
    return keccak(tag("latent/proof/1/phase") + session + word(phase) + word(layers) + phase_beacon)


# Section 4


def weight_rows(parameters, session, columns):
    """For each (layer, output) all gates' weights, as bytes: the weight plus 128. Yields one list of G rows each."""
    groups, gates = parameters.width // 32, parameters.gates
    at_once = max(1, 4096 // (groups * gates))
    columns = list(columns)
    for start in range(0, len(columns), at_once):
        part = columns[start : start + at_once]
        blocks = keccak_many(
            session + word(((layer * gates + gate) * parameters.width + output) * groups + group)
            for layer, output in part
            for gate in range(gates)
            for group in range(groups)
        )
        for _ in range(parameters.links - 1):
            blocks = keccak_many(blocks)
        rows = [b"".join(blocks[at : at + groups]) for at in range(0, len(blocks), groups)]
        yield from (rows[at : at + gates] for at in range(0, len(rows), gates))


# Section 5


def unpack(packed):
    """The codes of a packed row or of some of its groups."""
    low, high = packed.translate(LOW), packed.translate(HIGH)
    return b"".join([low[at : at + 32] + high[at : at + 32] for at in range(0, len(packed), 32)])


def pack(codes):
    groups = (codes[at : at + 64] for at in range(0, len(codes), 64))
    return b"".join([bytes([group[i] | group[32 + i] << 4 for i in range(32)]) for group in groups])


def inputs(parameters, seeds_and_rows):
    """(packed input, key) of each (seed, row)."""
    groups = parameters.width // 64
    blocks = keccak_many(seed + word(row) + word(m) for seed, row in seeds_and_rows for m in range(groups + 1))
    return [
        (b"".join(blocks[at : at + groups]), int.from_bytes(blocks[at + groups][:4], "big"))
        for at in range(0, len(blocks), groups + 1)
    ]


# Section 6


def accumulate(state_values, weight_row):
    """One gate's sum. The weights come as bytes, 128 too large."""
    return sum(map(mul, state_values, weight_row)) - 128 * sum(state_values)


def values_of(packed):
    return [code - 8 for code in unpack(packed)]


def code_of(key, layer, output, sums):
    z = key ^ (layer * 0x85EBCA6B & MASK) ^ (output * 0x9E3779B1 & MASK)
    for gate, acc in enumerate(sums):
        z ^= acc * ((2 * gate + 1) * 0x9E3779B1 & MASK) & MASK
    z ^= z >> 16
    z = z * 0x7FEB352D & MASK
    z ^= z >> 15
    z = z * 0x846CA68B & MASK
    return z >> 28


# Section 7


def depth_of(leaves):
    """Levels between the leaves and the root of a tree."""
    return (leaves - 1).bit_length()


def state_digests(states):
    """The digest of each packed row."""
    chunks = len(states[0]) // CHUNK_BYTES
    parts = keccak_many(state[at : at + CHUNK_BYTES] for state in states for at in range(0, len(state), CHUNK_BYTES))
    return keccak_many(b"".join(parts[at : at + chunks]) for at in range(0, len(parts), chunks))


def parents(pairs):
    """The parent of each (left, right)."""
    hashed = iter(keccak_many(left + right for left, right in pairs if left != ABSENT or right != ABSENT))
    return [next(hashed) if left != ABSENT or right != ABSENT else ABSENT for left, right in pairs]


def tree(digests):
    """All levels of the tree, the leaves first; the last level holds the root alone."""
    levels = [list(digests) + [ABSENT] * ((1 << depth_of(len(digests))) - len(digests))]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(parents(list(zip(below[::2], below[1::2]))))
    return levels


def commitment(seed, passes, phase_root):
    return keccak(tag("latent/proof/1/commitment") + seed + word(passes) + phase_root)


def proof_root(commitments):
    return keccak(tag("latent/proof/1/root") + commitments[COMPUTE] + commitments[BANDWIDTH])


# Section 8


@dataclass(frozen=True)
class Sample:
    pass_: int
    row: int
    step: int
    output: int


def draw_samples(parameters, phase, layers, passes, root, sample_beacon, count=None):
    start = tag("latent/proof/1/sample") + root + sample_beacon + word(phase)
    samples = []
    for digest in keccak_many(start + word(s) for s in range(parameters.samples if count is None else count)):
        a, b, c, d = (int.from_bytes(digest[at : at + 8], "big") for at in range(0, 32, 8))
        step = c % parameters.steps(phase, layers)
        samples.append(Sample(a % passes, b % parameters.rows(phase), step, d % parameters.width))
    return samples


# Section 9


def sibling_places(leaves, depth):
    """(level, index) of every node that an opening of these leaves lists, in its order."""
    known, places = set(leaves), []
    for level in range(depth):
        places += [(level, index ^ 1) for index in sorted(known) if index ^ 1 not in known]
        known = {index >> 1 for index in known}
    return places


@dataclass(frozen=True)
class Openings:
    """What the openings of one phase hold, and where; it follows from the samples."""

    samples: list
    seeds: list
    within: list
    above: list
    depth_within: int
    depth_above: int

    def byte_count(self, parameters):
        listed = len(self.seeds) + len(self.within) + len(self.above)
        return len(self.samples) * parameters.opening_bytes + 32 * listed


def leaf_of(parameters, phase, layers, sample, step):
    """The leaf of a state in the tree over all passes."""
    depth = depth_of(parameters.steps(phase, layers) + 1)
    return (sample.pass_ * parameters.rows(phase) + sample.row << depth) + step


def openings_of(parameters, phase, layers, passes, samples):
    depth_within = depth_of(parameters.steps(phase, layers) + 1) + depth_of(parameters.rows(phase))
    touched = [leaf_of(parameters, phase, layers, one, one.step + more) for one in samples for more in (0, 1)]
    sampled = sorted({one.pass_ for one in samples})
    tops = sampled + [p - 1 for p in sampled if p > 0]
    depth_above = depth_of(passes)
    return Openings(
        samples=samples,
        seeds=[p for p in sampled if p > 0],
        within=sibling_places(touched, depth_within),
        above=sibling_places(tops, depth_above),
        depth_within=depth_within,
        depth_above=depth_above,
    )


@dataclass(frozen=True)
class Header:
    number: int
    context: bytes
    beacons: tuple  # fill, compute, bandwidth, sample
    layers: int
    passes: tuple  # compute, bandwidth
    phase_roots: tuple  # compute, bandwidth

    def to_bytes(self):
        numbers = (self.layers, *self.passes)
        return b"".join(
            (
                *(MAGIC, bytes([self.number]), self.context, *self.beacons),
                *(number.to_bytes(4, "big") for number in numbers),
                *self.phase_roots,
            )
        )


@dataclass(frozen=True)
class Plan:
    """All that follows from a header."""

    parameters: ParameterSet
    session: bytes
    seeds: tuple
    commitments: tuple
    openings: tuple

    @property
    def byte_count(self):
        return HEADER_BYTES + sum(one.byte_count(self.parameters) for one in self.openings)


def plan_of(header):
    parameters = SETS[header.number]
    fill, *phase_beacons, sample_beacon = header.beacons
    session = session_of(parameters, header.context, fill)
    seeds = tuple(first_seed(session, phase, header.layers, phase_beacons[phase]) for phase in (COMPUTE, BANDWIDTH))
    commitments = tuple(commitment(seeds[i], header.passes[i], header.phase_roots[i]) for i in (COMPUTE, BANDWIDTH))
    root = proof_root(commitments)
    openings = []
    for phase in (COMPUTE, BANDWIDTH):
        samples = draw_samples(parameters, phase, header.layers, header.passes[phase], root, sample_beacon)
        openings.append(openings_of(parameters, phase, header.layers, header.passes[phase], samples))
    return Plan(parameters, session, seeds, commitments, tuple(openings))
