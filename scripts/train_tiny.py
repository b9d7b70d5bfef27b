"""Train the tiny model of the package from scratch, examine it, and write its folder.

    python scripts/train_tiny.py [--steps N] [--seed N] [--threads N] [--out FOLDER]

Takes a few minutes on an idle CPU core. FOLDER is by default the package's own.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

from handan.organism.checkpoint import examination, record, save, tally
from handan.organism.corpus import Recipe
from handan.organism.pretrain import train

FOLDER = Path(__file__).resolve().parents[1] / "src/handan/data/models/tiny"


def main() -> None:
    """Train, examine, write."""
    usual = Recipe()
    parser = argparse.ArgumentParser(description="Train the tiny model of the package.")
    parser.add_argument("--steps", type=int, default=usual.steps)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()

    import torch

    torch.set_num_threads(given.threads)
    recipe = replace(usual, steps=given.steps, seed=given.seed)
    start, busy = time.perf_counter(), time.process_time()
    model, log = train(recipe, report=lambda progress: print(progress, flush=True))
    spent = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
    table = examination(model, recipe)
    print(tally(table, "task pairs").to_string(index=False))
    print(tally(table, "style").to_string(index=False))
    save(given.out, model)
    options = f"--steps {recipe.steps} --seed {recipe.seed} --threads {given.threads}"
    record(given.out, recipe, log, table, **spent, command=f"python scripts/train_tiny.py {options}")
    print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
