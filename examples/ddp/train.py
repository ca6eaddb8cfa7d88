"""Trains a small regression with PyTorch's DistributedDataParallel over gloo: one process on each machine, no GPU.

Who the ranks are is in the environment that Latent sets: SKYPILOT_NODE_RANK, SKYPILOT_NUM_NODES, and MASTER_ADDR, an address in the
private network of the cluster. GLOO_SOCKET_IFNAME names the interface, so gloo needs to be told nothing.
"""

import hashlib
import json
import os
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

STEPS = int(os.environ.get("DDP_STEPS", "100"))
ROWS, FEATURES, HIDDEN = 256, 32, 512
LARGE = 4 * 1024 * 1024  # floats: 16 MiB

rank = int(os.environ["SKYPILOT_NODE_RANK"])
size = int(os.environ["SKYPILOT_NUM_NODES"])
os.environ.setdefault("MASTER_PORT", "29500")

torch.set_num_threads(1)
dist.init_process_group("gloo", init_method="env://", rank=rank, world_size=size)

torch.manual_seed(0)
truth = torch.randn(FEATURES, 1)
model = DistributedDataParallel(
    torch.nn.Sequential(torch.nn.Linear(FEATURES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1))
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
torch.manual_seed(1000 + rank)  # each rank draws its own data from here on

began = time.monotonic()
for step in range(1, STEPS + 1):
    rows = torch.randn(ROWS, FEATURES)
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(rows), rows @ truth)
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print("::progress " + json.dumps({"step": step, "steps": STEPS, "loss": round(loss.item(), 4)}), flush=True)
seconds = time.monotonic() - began

large = torch.full((LARGE,), float(rank + 1))
began = time.monotonic()
dist.all_reduce(large)
reduced = time.monotonic() - began
assert large.eq(size * (size + 1) / 2).all()

# What makes it data parallel: every rank has come to the very same parameters.
digest = hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).digest()
digests = [torch.zeros(32, dtype=torch.uint8) for _ in range(size)]
dist.all_gather(digests, torch.tensor(list(digest), dtype=torch.uint8))
assert all(torch.equal(one, digests[0]) for one in digests), "the ranks have come to different parameters"
print(
    f"rank {rank} of {size} by {os.environ['MASTER_ADDR']}: loss {loss.item():.4f}, {STEPS} steps in {seconds:.1f} s, "
    f"16 MiB all-reduced in {reduced:.2f} s, parameters {digest.hex()[:16]} on every rank",
    flush=True,
)
dist.destroy_process_group()
