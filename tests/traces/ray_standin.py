"""For the tests of Ray: a cluster as a user would start it, and engines that misbehave on demand."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path

import pytest
from tests.traces.stored import request_of

from handan.traces.request import Completion, Decoding, Request


@pytest.fixture(scope="module")
def importable():
    """Workers import this module by name, wherever the tests were started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def cluster(importable):
    """A local cluster with three logical CPUs, started by the user's program, not by ours."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=3,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=100 * 2**20,
    )
    yield ray
    ray.shutdown()


def requests(prompts, decoding=None, dtype="float32"):
    decoding = decoding or Decoding(max_new_tokens=24)
    return [
        Request("m", "local:m", "r", "plain", "t", str(place), 0, prompt, decoding, dtype)
        for place, prompt in enumerate(prompts)
    ]


def answer(request: Request) -> Completion:
    """What the stand-in says to a request, wherever it runs."""
    text = hashlib.sha256(request.key.encode()).hexdigest()
    return Completion(request.key, text, "stop", token_ids=tuple(map(ord, text)), output_tokens=len(text))


class StandIn:
    """Answers at once; a prompt may tell it to wait, to raise, or to kill its process.

    Leaves a file named after its process in `marks` whenever a model is "loaded".
    """

    name = "standin"

    def __init__(self, marks: str | None = None, fails: str = ""):
        if fails == "building":
            raise RuntimeError("this recipe can't be followed")
        self.marks, self.fails = marks, fails

    def __enter__(self):
        if self.fails == "loading":
            raise RuntimeError("these weights can't be loaded")
        if self.marks:
            Path(self.marks, str(os.getpid())).touch()
        return self

    def __exit__(self, *exc):
        pass

    def settings(self):
        return {"engine": self.name, "device": "cpu", "dtype": "float32"}

    def complete(self, requests):
        for request in requests:
            if request.prompt == "die":
                os._exit(7)
            if request.prompt == "raise":
                raise RuntimeError("CUDA error: an illegal memory access was encountered")
            if request.prompt == "silence":
                continue
            time.sleep(0.2 if request.prompt.startswith("slow") else 0)
            yield answer(request)


class Marked:
    """The transformers engine, leaving a mark when it is loaded and when it first gets work."""

    def __init__(self, model, marks: str):
        from handan.traces.transformers_engine import TransformersEngine

        self._engine = TransformersEngine(model, dtype="float32", device="cpu", batch_size=4)
        self.settings = self._engine.settings
        self._marks = Path(marks)
        self._busy = False

    def __enter__(self):
        self._engine.__enter__()
        (self._marks / f"loaded-{os.getpid()}").touch()
        return self

    def __exit__(self, *exc):
        self._engine.__exit__(*exc)

    def complete(self, requests):
        if not self._busy and not list(self._marks.glob("busy-*")):
            (self._marks / f"busy-{os.getpid()}").touch()
            # Time to be killed at work.
            time.sleep(60)
        self._busy = True
        yield from self._engine.complete(requests)


class Stage:
    """In place of Ray's vLLM stage: the columns that it adds, made by the transformers engine."""

    def __init__(self, model, log: str, fails_after: int | None):
        from handan.traces.transformers_engine import TransformersEngine

        self._engine = TransformersEngine(model, dtype="float32", device="cpu", batch_size=2)
        self._engine.__enter__()
        self._log, self._left = Path(log), fails_after

    def __call__(self, row):
        # Counted, and not named by its row: blocks come in any order.
        if self._left == 0:
            self._wait_until_something_is_safe()
            raise RuntimeError("the machine was taken away")
        self._left = None if self._left is None else self._left - 1
        (done,) = self._engine.complete([request_of(row)])
        with (self._log / row["key"]).open("a") as file:
            file.write("generated\n")
        seen = {"generated_tokens": list(done.token_ids), "num_input_tokens": done.prompt_tokens}
        return {**row, **seen, "time_taken_llm": 0.1, "__inference_error__": ""}

    def _wait_until_something_is_safe(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not list(self._log.parent.glob("answers-done/*.parquet")):
            time.sleep(0.05)


def run_stage(blocks, *, model, log, fails_after=None):
    """A pipeline for `generate`."""
    import ray

    one = ray.data.ActorPoolStrategy(size=1)
    return blocks.map(Stage, fn_constructor_args=(model, log, fails_after), compute=one, num_cpus=0.5)
