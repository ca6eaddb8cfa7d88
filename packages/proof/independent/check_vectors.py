"""Checks every known answer of packages/proof/vectors/known-answers.json. Usage: python3 check_vectors.py [FILE]"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from keccak import keccak  # noqa: E402
from prove_reference import prove  # noqa: E402
from specification import (  # noqa: E402
    BANDWIDTH,
    COMPUTE,
    SETS,
    accumulate,
    code_of,
    draw_samples,
    first_seed,
    inputs,
    plan_of,
    proof_root,
    session_of,
    sibling_places,
    state_digests,
    tree,
    values_of,
    weight_rows,
)
from verify_proof import ProofError, read_proof, verify  # noqa: E402

VECTORS = Path(__file__).resolve().parent.parent / "vectors" / "known-answers.json"
PHASES = {"compute": COMPUTE, "bandwidth": BANDWIDTH}


def read_hex(text):
    return bytes.fromhex(text.removeprefix("0x"))


def to_hex(data):
    return "0x" + data.hex()


class Tally:
    def __init__(self):
        self.right = 0
        self.wrong = []

    def expect(self, name, found, wanted):
        if found == wanted:
            self.right += 1
        else:
            self.wrong.append(f"{name}: {found!r} instead of {wanted!r}")


def check_set(tally, vectors, wanted):
    name, number, layers = wanted["name"], wanted["number"], wanted["layers"]
    parameters = SETS[number]
    tally.expect(f"{name} name", parameters.name, name)
    beacons = {key: read_hex(text) for key, text in vectors["beacons"].items()}
    session = session_of(parameters, read_hex(vectors["context"]), beacons["fill"])
    tally.expect(f"{name} session", to_hex(session), wanted["session"])
    at = wanted["weights"]
    (rows,) = weight_rows(parameters, session, [(at["layer"], at["output"])])
    weights = [byte - 128 for byte in rows[at["gate"]]]
    tally.expect(f"{name} first weights", weights[:64], at["first64"])
    tally.expect(f"{name} sum of weights", sum(weights), at["sum"])
    at = wanted["farWeights"]
    (rows,) = weight_rows(parameters, session, [(at["layer"], at["output"])])
    tally.expect(f"{name} far weights", [byte - 128 for byte in rows[at["gate"]][:8]], at["first8"])
    for one in wanted["phases"]:
        phase, where = PHASES[one["name"]], f"{name} {one['name']}"
        seed = first_seed(session, phase, layers, beacons[one["name"]])
        tally.expect(f"{where} seed", to_hex(seed), one["firstSeed"])
        tally.expect(f"{where} last row", parameters.rows(phase) - 1, one["row"])
        ((packed, key),) = inputs(parameters, [(seed, one["row"])])
        tally.expect(f"{where} key", key, one["rowKey"])
        tally.expect(f"{where} input", to_hex(packed), one["input"])
        tally.expect(f"{where} digest", to_hex(state_digests([packed])[0]), one["inputDigest"])
        layer = parameters.layer_of(phase, one["row"], one["step"])
        tally.expect(f"{where} layer", layer, one["layer"])
        (rows,) = weight_rows(parameters, session, [(layer, one["output"])])
        sums = [accumulate(values_of(packed), row) for row in rows]
        tally.expect(f"{where} sums", sums, one["sums"])
        tally.expect(f"{where} code", code_of(key, layer, one["output"], sums), one["code"])
        of = wanted["samplesOf"]
        root, count = read_hex(of["root"]), len(one["samples"])
        drawn = draw_samples(parameters, phase, layers, of["passes"], root, beacons["sample"], count)
        found = [{"pass": s.pass_, "row": s.row, "step": s.step, "output": s.output} for s in drawn]
        tally.expect(f"{where} samples", found, one["samples"])


def check_proof(tally, vectors):
    wanted = vectors["proof"]
    (number,) = (one.number for one in SETS.values() if one.name == wanted["set"])
    beacons = tuple(read_hex(vectors["beacons"][name]) for name in ("fill", "compute", "bandwidth", "sample"))
    passes = (wanted["passes"]["compute"], wanted["passes"]["bandwidth"])
    proof, header = prove(number, read_hex(vectors["context"]), beacons, wanted["layers"], passes)
    for phase, root in zip(PHASES, header.phase_roots):
        tally.expect(f"proof root of {phase}", to_hex(root), wanted["phaseRoots"][phase])
    tally.expect("proof bytes", len(proof), wanted["bytes"])
    tally.expect("proof in the file", read_proof(VECTORS.parent / wanted["file"]), proof)
    tally.expect("root of the proof", to_hex(proof_root(plan_of(header).commitments)), wanted["proofRoot"])
    tally.expect("proof hash", to_hex(keccak(proof)), wanted["keccak256"])
    tally.expect("proof verified", verify(proof), header)
    for one in wanted["refused"]:
        changed = bytearray(proof)
        changed[one["at"]] ^= one["xor"]
        tally.expect(f"change of {one['what']}", code_for(bytes(changed[: one["bytes"]])), one["code"])


def code_for(proof):
    try:
        verify(proof)
    except ProofError as error:
        return error.code
    return "taken"


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS
    vectors = json.loads(path.read_text(encoding="utf-8"))
    tally = Tally()
    for wanted in vectors["sets"]:
        check_set(tally, vectors, wanted)
    for one in vectors["requantise"]:
        found = code_of(one["key"], one["layer"], one["output"], one["sums"])
        tally.expect(f"code of {one['sums'][:3]}", found, one["code"])
    for one in vectors["trees"]:
        root = tree([read_hex(leaf) for leaf in one["leaves"]])[-1][0]
        tally.expect(f"tree over {len(one['leaves'])}", to_hex(root), one["root"])
    for one in vectors["siblings"]:
        places = [{"level": level, "index": index} for level, index in sibling_places(one["leaves"], one["depth"])]
        tally.expect(f"siblings of {one['leaves']}", places, one["places"])
    check_proof(tally, vectors)
    for line in tally.wrong:
        print(line)
    print(f"{tally.right} known answers right, {len(tally.wrong)} wrong")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
