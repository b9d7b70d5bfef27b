"""What the store of traces costs: per row added, and to find what is left among a million rows.

Run from the project's root:

    python benchmarks/store.py [--rows 1000000] [--tokens 500] [--added 400] [--repeats 3] [--keep DIR]

Overhead: rows of several lengths are added, parts included, and the time per row is set
against the time that generating such a row takes at some rates. The share of writing the
same text to a plain file stands beside it. What is left: a store of real parts is written
once (`--keep` uses it again), then a fresh process opens it and asks for the keys of a run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from handan.traces.manifest import Manifest, save
from handan.traces.parts import part_name, write_part
from handan.traces.request import Completion, Decoding, Request
from handan.traces.rows import row, schema
from handan.traces.store import Store
from handan.traces.store_files import LocalFiles

LENGTHS = (200, 2_000, 16_000)  # generated tokens per trace
# Tokens per second of a whole run: a small model on a CPU, a T4, one H100 with vLLM, eight of them.
RATES = {"CPU, 0.4 M parameters": 3_000, "T4, 1.5 B": 1_000, "H100, 7 B, vLLM": 5_000, "8 x H100": 40_000}
PART_ROWS = 2000
LIMIT_SECONDS, LIMIT_BYTES = 3.0, 1e9


def request(number: int) -> Request:
    return Request(
        "DeepSeek-R1-Distill-Qwen-1.5B", "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "a" * 40, "f" * 16,
        "binary_arithmetic", f"{number // 8:04d}", number % 8, f"Add the numbers of item {number // 8}.",
        Decoding(), "bfloat16",
    )  # fmt: skip


def trace(number: int, tokens: int, rng: np.random.Generator) -> dict[str, object]:
    """A row with ids distributed as in text, about four characters each."""
    ids = np.minimum(rng.zipf(1.3, tokens), 150_000).tolist()
    text = " ".join(f"{one % 997:03d}" for one in ids)
    asked = request(number)
    answer = Completion(
        asked.key, text, "stop", tuple(ids), prompt_tokens=60, output_tokens=tokens, seconds=9.0
    )
    return row(asked, answer, "transformers")


def seconds_per_row(tokens: int, added: int, folder: Path) -> tuple[float, float, float]:
    """Time to add a row, parts and closing included; of this, time of the processor; time of a plain file."""
    rng = np.random.default_rng(tokens)
    rows = [trace(number, tokens, rng) for number in range(added)]
    start, worked = time.perf_counter(), time.process_time()
    with Store.open(folder, part_rows=PART_ROWS) as store:
        for one in rows:
            store.add(one)
    spent, worked = time.perf_counter() - start, time.process_time() - worked
    start = time.perf_counter()
    with (folder.parent / "plain.jsonl").open("w") as file:
        for one in rows:
            file.write(json.dumps(one) + "\n")
            file.flush()
    plain = time.perf_counter() - start
    shutil.rmtree(folder)
    return spent / added, worked / added, plain / added


def overhead(added: int, repeats: int) -> None:
    print("ms per row, in all and of the processor; then the share of generation time at some tokens/s")
    print(f"{'tokens':>7} {'ms':>7} {'processor':>10} {'plain file':>11}   {', '.join(RATES)}")
    for tokens in LENGTHS:
        count = max(20, min(added, added * 2000 // tokens))
        with tempfile.TemporaryDirectory() as folder:
            pairs = [seconds_per_row(tokens, count, Path(folder) / "store") for _ in range(repeats)]
        ours, worked, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
        shares = "  ".join(f"{ours * rate / tokens:.2%}" for rate in RATES.values())
        print(f"{tokens:>7,} {ours * 1e3:>7.2f} {worked * 1e3:>10.2f} {plain * 1e3:>11.2f}   {shares}")


def write_store(folder: Path, rows: int, tokens: int) -> None:
    """Write parts as a run does, but with traces cut out of one long text, which is quick."""
    import pyarrow as pa

    rng = np.random.default_rng(0)
    ids = np.minimum(rng.zipf(1.3, 4_000_000), 150_000).astype("int32")
    text = " ".join(f"{one % 997:03d}" for one in ids)
    files, manifest = LocalFiles(folder), Manifest()
    example = trace(0, 1, rng)
    for number, start in enumerate(range(0, rows, PART_ROWS), start=1):
        part = []
        for place in range(start, min(start + PART_ROWS, rows)):
            asked, length = request(place), min(1 + int(rng.exponential(tokens)), 100_000)
            cut = int(rng.integers(len(ids) - length))
            part.append(example | {
                "key": asked.key, "item": asked.item, "sample": asked.sample, "prompt": asked.prompt,
                "output_tokens": length, "seconds": length / 40, "token_ids": ids[cut : cut + length],
                "text": text[4 * cut : 4 * (cut + length)],
            })  # fmt: skip
        table = pa.Table.from_pylist(part, schema=schema())
        about = {"format": 1, "runs": [{"rows": len(part), "run": None}]}
        manifest = manifest.adding(write_part(files, part_name(number, f"{number:08x}"), [table], about))
        if number % 100 == 0:
            print(f"  {start + PART_ROWS:,} rows written", flush=True)
    save(files, manifest)


def keys(rows: int) -> Iterator[str]:
    return (request(number).key for number in range(rows))


def look(folder: Path, rows: int) -> None:
    """In a process of its own: open the store, find what is left of a run, say time and memory."""
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    wanted = [*keys(rows), *(f"{number:032x}" for number in range(1000))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start, worked = time.perf_counter(), time.process_time()
    with Store.open(folder, writable=False) as store:
        opened = time.perf_counter() - start
        settled = store.done(wanted)
    spent, worked = time.perf_counter() - start, time.process_time() - worked
    left = sum(key not in settled for key in wanted)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    told = {
        "opened": opened,
        "seconds": spent,
        "worked": worked,
        "left": left,
        "before": before,
        "peak": peak,
    }
    print(json.dumps(told))


def what_is_left(rows: int, tokens: int, repeats: int, keep: Path | None) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary) / "store"
        if not (folder / "manifest.json").exists():
            write_store(folder, rows, tokens)
        files = list((folder / "parts").iterdir())
        size = sum(file.stat().st_size for file in files)
        print(
            f"{rows:,} rows in {len(files):,} parts, {size / 1e9:.2f} GB; asked for these and 1,000 new ones:"
        )
        found = []
        for _ in range(repeats):
            command = [sys.executable, __file__, "--look", str(folder), "--rows", str(rows)]
            found.append(
                json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
            )
            said = "  opened {opened:.2f} s, answer {seconds:.2f} s (processor {worked:.2f} s), {left:,} left"
            print(said.format(**found[-1]))
    spent = statistics.median(one["seconds"] for one in found)
    peak = max(one["peak"] for one in found)
    before = max(one["before"] for one in found)
    print(
        f"median {spent:.2f} s (limit {LIMIT_SECONDS:.0f} s): {'kept' if spent < LIMIT_SECONDS else 'MISSED'}"
    )
    verdict = "kept" if peak < LIMIT_BYTES else "MISSED"
    print(f"peak memory of the process {peak / 1e6:,.0f} MB (limit {LIMIT_BYTES / 1e6:,.0f} MB): {verdict}")
    print(f"of which the libraries and the keys of the run are {before / 1e6:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tokens", type=int, default=500)
    parser.add_argument("--added", type=int, default=400)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        look(options.look, options.rows)
        return
    sys.stdout.reconfigure(line_buffering=True)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    overhead(options.added, options.repeats)
    what_is_left(options.rows, options.tokens, options.repeats, options.keep)


if __name__ == "__main__":
    main()
