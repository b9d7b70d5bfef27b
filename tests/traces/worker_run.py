"""Run requests with a real model and be killed at random moments, again and again.

Importing torch takes longer than the work itself, so one process imports everything and
every life is a fork of it. Prints one JSON line.
"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import torch

from handan.traces import Decoding, problems, requests, resolve, run
from handan.traces.decode import Row
from handan.traces.prompts import PLAIN
from handan.traces.store import Store
from handan.traces.transformers_engine import TransformersEngine

BATCH = 16


def wanted(folder):
    model = resolve(folder, None)
    items = [(task, item) for task, item in problems(["binary-addition"])][:250]
    decoding = Decoding(max_new_tokens=24, temperature=1.0)
    made = requests(model, items, decoding, samples=2, dtype="float32", template=PLAIN)
    return model, made


def live(folder, out, log):
    """One life: note every row that is begun, and answer what is left."""
    torch.set_num_threads(1)
    begin = Row.start

    def noted(row):
        os.write(log, f"{row.key}\n".encode())
        begin(row)

    Row.start = noted
    model, made = wanted(folder)
    with Store.open(out) as store:
        return run(made, TransformersEngine(model, batch_size=BATCH), store)


def begun(path):
    return path.read_text().split() if path.exists() else []


def main(folder, out, kills):
    rng = random.Random(0)
    path = Path(f"{out}.log")
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    killed = 0
    while killed < kills:
        before, aim = len(begun(path)), rng.randrange(1, 2 * BATCH)
        child = os.fork()
        if child == 0:
            live(folder, out, log)
            os._exit(0)
        while len(begun(path)) < before + aim and os.waitpid(child, os.WNOHANG) == (0, 0):
            time.sleep(0.001)
        time.sleep(rng.random() * 0.02)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), f"life {killed} ended by itself: {status}"
        killed += 1
    report = live(folder, out, log)
    starts = Counter(begun(path))
    with Store.open(out, writable=False) as store:
        keys = store.read(["key"])["key"].tolist()
        texts = dict(zip(*store.read(["key", "text"]).to_dict("list").values(), strict=True))
    _, made = wanted(folder)
    found = {
        "asked": len(made),
        "stored": len(keys),
        "unique": len(set(keys)),
        "missing": len({one.key for one in made} - set(keys)),
        "begun_again": sum(starts.values()) - len(starts),
        "worst": max(starts.values()),
        "settled_before_the_last_life": report.settled,
        "texts": texts,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
