"""Run 500 requests while being killed at random moments; prints what happened as JSON.

Usage: worker_kill.py STORE LOG SEED KILLS. A child does the run, its parent kills it (SIGKILL).
The stand-in engine notes every key in LOG before it hands the batch out.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
import warnings
from pathlib import Path

import filelock  # noqa: F401  (imported once, so that a child starts at once)
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401

from handan.traces.request import Completion, Decoding, Request
from handan.traces.run import run
from handan.traces.store import Store

BATCH = 8
REQUESTS = [
    Request(
        "m", "local:m", "a" * 40, "plain", "binary", f"i{number}", 0, "?", Decoding(temperature=0), "float32"
    )
    for number in range(500)
]


class StandIn:
    name = "stand-in"

    def __init__(self, log: str) -> None:
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass

    def settings(self):
        return {"engine": self.name, "device": "cpu"}

    def complete(self, requests):
        for start in range(0, len(requests), BATCH):
            batch = requests[start : start + BATCH]
            with open(self.log, "a") as log:
                log.writelines(f"{request.key}\n" for request in batch)
            for request in batch:
                time.sleep(random.expovariate(1 / 0.002))
                yield Completion(request.key, "x" * random.randint(1, 900), "stop", (1, 2), output_tokens=2)


def job(path: str, log: str, *, compact: bool) -> None:
    warnings.simplefilter("ignore")
    with Store.open(path, part_rows=20) as store:
        if compact:
            store.compact()
        run(REQUESTS, StandIn(log), store)


def size(log: str) -> int:
    return Path(log).stat().st_size if Path(log).exists() else 0


def wait(log: str, child: int) -> None:
    """Wait for a random moment: of the start in a quarter of cases, else of the generation."""
    before = size(log)
    if random.random() < 0.25:
        time.sleep(random.uniform(0, 0.3))
        return
    while size(log) == before and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)
    time.sleep(random.uniform(0, 0.05))


def attempt(path: str, log: str, *, compact: bool) -> bool:
    """Do the job in a child, and kill it; return whether it had not come to its end."""
    child = os.fork()
    if child == 0:
        try:
            job(path, log, compact=compact)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
        os._exit(0)
    wait(log, child)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a child failed")
    return os.WIFSIGNALED(status)


def main() -> None:
    path, log, seed, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    random.seed(seed)
    kills = 0
    while kills < wanted:
        if not attempt(path, log, compact=random.random() < 0.2):
            break  # it came to its end
        kills += 1
    job(path, log, compact=False)
    print(json.dumps({"kills": kills, "batch": BATCH, "keys": [request.key for request in REQUESTS]}))


if __name__ == "__main__":
    main()
