"""Keccak-256 with the original padding (a single 01 byte, not the 06 of SHA3-256), of many messages at once.

Pure Python spends most of its time on the interpreter, not on the bits. So the 64-bit lanes of many sponges lie side by
side in one long integer: one exclusive or then serves them all.
"""

from functools import lru_cache

RATE_BYTES = 136
ROUNDS = 24
# Beyond this the long integers leave the processor's first cache, and nothing is gained.
BATCH = 256


def _rotations():
    offsets = [0] * 25
    x, y = 1, 0
    for turn in range(24):
        offsets[x + 5 * y] = (turn + 1) * (turn + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


def _round_constants():
    constants, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for bit in range(7):
            register = (register << 1 ^ (register >> 7) * 0x71) & 0xFF
            constant ^= (register >> 1 & 1) << ((1 << bit) - 1)
        constants.append(constant)
    return constants


ROTATIONS = _rotations()
# Lane (x, y) moves to (y, 2x + 3y).
TARGETS = [y + 5 * ((2 * x + 3 * y) % 5) for y in range(5) for x in range(5)]
ROUND_CONSTANTS = _round_constants()


def _repeat(lane, count):
    return int.from_bytes(lane.to_bytes(8, "little") * count, "little")


@lru_cache(maxsize=64)
def _masks(count):
    """For each rotation by s: what stays above bit s of a lane, and what comes in below it."""
    return [(_repeat((1 << 64) - (1 << s), count), _repeat((1 << s) - 1, count)) for s in range(64)]


@lru_cache(maxsize=64)
def _constants(count):
    return [_repeat(constant, count) for constant in ROUND_CONSTANTS]


def _permute(state, count):
    masks = _masks(count)
    above_one, below_one = masks[1]
    moves = [(lane, TARGETS[lane], by, 64 - by, *masks[by]) for lane, by in enumerate(ROTATIONS)]
    for constant in _constants(count):
        c = [state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20] for x in range(5)]
        d = []
        for x in range(5):
            after = c[(x + 1) % 5]
            d.append(c[x - 1] ^ (after << 1 & above_one) ^ (after >> 63 & below_one))
        moved = [0] * 25
        for lane, target, left, right, above, below in moves:
            value = state[lane] ^ d[lane % 5]
            moved[target] = (value << left & above) | (value >> right & below)
        state = []
        for y in range(0, 25, 5):
            p, q, r, s, t = moved[y : y + 5]
            # a ^ (~b & c) as a ^ c ^ (b & c): no negative numbers.
            state += (p ^ r ^ (q & r), q ^ s ^ (r & s), r ^ t ^ (s & t), s ^ p ^ (t & p), t ^ q ^ (p & q))
        state[0] ^= constant
    return state


def _hash_batch(messages):
    count, length = len(messages), len(messages[0])
    fill = RATE_BYTES - length % RATE_BYTES
    padding = b"\x81" if fill == 1 else b"\x01" + bytes(fill - 2) + b"\x80"
    padded = [message + padding for message in messages]
    state = [0] * 25
    for start in range(0, length + fill, RATE_BYTES):
        for lane in range(RATE_BYTES // 8):
            at = start + 8 * lane
            state[lane] ^= int.from_bytes(b"".join([one[at : at + 8] for one in padded]), "little")
        state = _permute(state, count)
    lanes = [state[lane].to_bytes(8 * count, "little") for lane in range(4)]
    return [b"".join([lane[at : at + 8] for lane in lanes]) for at in range(0, 8 * count, 8)]


def keccak_many(messages):
    """The keccak-256 of each message, in order. All messages must have the same length."""
    messages = list(messages)
    if len({len(message) for message in messages}) > 1:
        raise ValueError("messages of different lengths")
    digests = []
    for start in range(0, len(messages), BATCH):
        digests += _hash_batch(messages[start : start + BATCH])
    return digests


def keccak(message):
    """The keccak-256 of one message."""
    return _hash_batch([message])[0]
