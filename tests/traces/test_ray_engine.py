import os
import signal
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from tests.traces.ray_standin import Marked, StandIn, answer, cluster, importable, requests  # noqa: F401

from handan.traces.engine import Engine
from handan.traces.errors import EngineError
from handan.traces.models import resolve
from handan.traces.prompts import PLAIN
from handan.traces.ray_engine import RayEngine
from handan.traces.request import Decoding, Request

ray = pytest.importorskip("ray")
pytest.importorskip("ray.data")

SMALL = {"cpus_per_actor": 0.5}


def test_it_starts_a_cluster_of_its_own_and_stops_it(importable):  # noqa: F811
    assert not ray.is_initialized()
    asked = requests(["a", "b", "c"])
    with RayEngine(StandIn, actors=1, **SMALL) as engine:
        assert isinstance(engine, Engine)
        assert ray.is_initialized()
        assert {one.key: one for one in engine.complete(asked)} == {one.key: answer(one) for one in asked}
        settings = engine.settings()
    assert not ray.is_initialized()
    assert settings["address"] == "local"
    assert settings["device"] == "cpu"
    assert settings["num_gpus"] == 0
    assert settings["inner"] == StandIn().settings()
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"


def kill_first(marks, killed):
    """Kill the first process that says it is at work."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        for mark in marks.glob("busy-*"):
            killed.append(int(mark.name.split("-")[1]))
            os.kill(killed[0], signal.SIGKILL)
            return
        time.sleep(0.05)


def test_an_actor_is_killed_and_the_result_is_that_of_one_process(cluster, tmp_path):  # noqa: F811
    pytest.importorskip("transformers")
    from tests.traces.tiny import random_model

    from handan.traces.transformers_engine import TransformersEngine

    model = resolve(str(random_model(tmp_path / "model")))
    marks = tmp_path / "marks"
    marks.mkdir()
    decoding = Decoding(max_new_tokens=16, temperature=1.0, top_p=1.0)
    asked = [
        Request(model.name, model.model_id, model.revision, PLAIN, "t", str(n), 0, f"{n}+{n}=" * (1 + n % 3), decoding,
                "float32")
        for n in range(24)
    ]  # fmt: skip
    killed = []
    killer = threading.Thread(target=kill_first, args=(marks, killed))
    with RayEngine(partial(Marked, model, str(marks)), actors=2, block_rows=3, **SMALL) as engine:
        killer.start()
        found = list(engine.complete(asked))
    killer.join()
    assert ray.is_initialized(), "the user's cluster is the user's to stop"
    assert len(killed) == 1
    assert len(list(marks.glob("loaded-*"))) == 3, "two actors, and one in place of the killed one"
    with TransformersEngine(model, dtype="float32", device="cpu", batch_size=1) as single:
        alone = {one.key: one for one in single.complete(asked)}
    assert len(found) == len({one.key for one in found}) == len(asked)
    assert {one.stop for one in found} <= {"stop", "length"}
    for one in found:
        assert replace(one, seconds=None) == replace(alone[one.key], seconds=None)


def test_a_request_that_kills_its_worker_becomes_a_row(cluster, tmp_path):  # noqa: F811
    asked = requests(["a", "die", "b", "silence"])
    with RayEngine(partial(StandIn, str(tmp_path)), actors=1, block_rows=1, **SMALL) as engine:
        found = {one.key: one for one in engine.complete(asked)}
    good, fatal, fine, silent = (found[one.key] for one in asked)
    assert (good, fine) == (answer(asked[0]), answer(asked[2]))
    assert fatal.stop == "error"
    assert "its worker died 3 times" in fatal.error
    assert "no answer" in silent.error
    assert len(list(tmp_path.iterdir())) == 4, "a worker, and a new one after each death"


def test_a_broken_engine_costs_its_own_request_only(cluster, tmp_path):  # noqa: F811
    asked = requests(["a", "raise", "b", "raise", "c", "d"])
    with RayEngine(partial(StandIn, str(tmp_path)), actors=1, block_rows=2, **SMALL) as engine:
        found = list(engine.complete(asked))
    assert len(found) == len(asked)
    broken = {one.key: one.error for one in found if one.stop == "error"}
    assert set(broken) == {asked[1].key, asked[3].key}
    assert all("RuntimeError: CUDA error" in error for error in broken.values())
    assert len(list(tmp_path.iterdir())) > 2, "no block may be given to a process whose engine broke"


def idle(seconds=60):
    """Wait until nothing runs on the cluster any more."""
    deadline = time.monotonic() + seconds
    while ray.available_resources().get("CPU") != ray.cluster_resources()["CPU"]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_an_interrupted_run_leaves_nothing_behind(cluster):  # noqa: F811
    asked = requests([f"slow {n}" for n in range(200)])
    with RayEngine(StandIn, actors=1, block_rows=2, **SMALL) as engine:
        answers = engine.complete(asked)
        first = [next(answers) for _ in range(3)]
        assert not idle(0)
        answers.close()
        assert idle(), "actors of an abandoned run must go"
    assert {one.key for one in first} < {one.key for one in asked}


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (partial(StandIn, fails="building"), "can't be followed"),
        (partial(StandIn, fails="loading"), "can't be loaded"),
    ],
)
def test_an_engine_that_does_not_start_is_an_error(cluster, recipe, words):  # noqa: F811
    with pytest.raises(EngineError, match=words), RayEngine(recipe, actors=1, **SMALL) as engine:
        list(engine.complete(requests(["a", "b"])))
    assert ray.is_initialized()


def test_nothing_but_failures_end_the_run(cluster):  # noqa: F811
    with (
        RayEngine(StandIn, actors=1, block_rows=1, **SMALL) as engine,
        pytest.raises(EngineError, match=r"no worker answers anything: .*CUDA error"),
    ):
        list(engine.complete(requests(["raise", "raise"])))


def test_a_cluster_without_room_is_an_error(cluster):  # noqa: F811
    with pytest.raises(EngineError, match=r"no room .*'num_gpus': 1.* in 1 s"):
        RayEngine(StandIn, gpus_per_actor=1, start_seconds=1).__enter__()


def test_requests_must_name_the_dtype_of_the_workers(cluster):  # noqa: F811
    with (
        RayEngine(StandIn, actors=1, **SMALL) as engine,
        pytest.raises(EngineError, match="compute in float32, but requests say bfloat16"),
    ):
        list(engine.complete(requests(["a"], dtype="bfloat16")))


@pytest.mark.parametrize(
    "wrong", [{"actors": 0}, {"block_rows": 0}, {"cpus_per_actor": -1}, {"gpus_per_actor": -1}]
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(EngineError, match="at least"):
        RayEngine(StandIn, **wrong)


def test_no_cluster_at_an_address(monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def refuse(**arguments):
        raise ConnectionError(f"no one at {arguments['address']}")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(EngineError, match="reached at head:6379"):
        RayEngine(StandIn, address="head:6379").__enter__()
    monkeypatch.setenv("RAY_ADDRESS", "other:1")
    with pytest.raises(EngineError, match="reached at other:1"):
        RayEngine(StandIn).__enter__()
