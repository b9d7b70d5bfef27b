import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces import Completion, Decoding, EngineError, RequestError, problems, requests, resolve, run

pytest.importorskip("torch")

import contextlib

from tests.traces.tiny import random_model

from handan.traces.progress import Progress
from handan.traces.prompts import PLAIN
from handan.traces.store import Store
from handan.traces.transformers_engine import TransformersEngine

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture(scope="module")
def asked(folder):
    return requests(
        resolve(str(folder)),
        problems(["binary-addition"], limit=12),
        Decoding(max_new_tokens=16, temperature=1.0),
        dtype="float32",
        template=PLAIN,
    )


class Scripted:
    """An engine that does what it is told, to test what the runner makes of it."""

    name = "scripted"

    def __init__(self, answer):
        self.answer, self.entered, self.closed = answer, 0, 0

    def __enter__(self):
        self.entered += 1
        return self

    def __exit__(self, *exc):
        pass

    def settings(self):
        return {"engine": self.name, "device": "none"}

    def complete(self, wanted):
        try:
            yield from self.answer(wanted)
        finally:
            self.closed += 1


def well(wanted):
    return (Completion(one.key, "text", "stop", (1, 2), output_tokens=2) for one in wanted)


def fail(wanted):
    return (Completion.failed(one.key, "no", attempt=2) for one in wanted)


def test_thirty_kills_lose_nothing_and_repeat_at_most_a_batch_each(folder, tmp_path):
    out = tmp_path / "store"
    done = subprocess.run(
        [sys.executable, HERE / "worker_run.py", folder, out, "30"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    texts = found.pop("texts")
    print(found)
    assert found["asked"] == found["stored"] == found["unique"] == 500
    assert found["missing"] == 0
    assert found["begun_again"] <= 30 * 16
    assert 0 < found["settled_before_the_last_life"] < 500
    # A run that nobody interrupted writes the same.
    from tests.traces.worker_run import wanted

    model, made = wanted(folder)
    with Store.open(tmp_path / "calm") as store:
        run(made, TransformersEngine(model, batch_size=16), store)
        calm = store.read(["key", "text"]).set_index("key")["text"].to_dict()
    assert calm == texts


def test_the_same_call_again_does_nothing_and_does_not_load_the_model(asked, folder, tmp_path):
    with Store.open(tmp_path) as store:
        first = run(asked, TransformersEngine(resolve(str(folder))), store)
        assert (first.asked, first.settled, first.done, first.failed) == (12, 0, 12, 0)
        assert first.tokens == store.read(["output_tokens"])["output_tokens"].sum()
        idle = Scripted(well)
        again = run(asked, idle, store)
        assert (again.settled, again.done, idle.entered) == (12, 0, 0)


def test_more_samples_add_to_what_is_there(folder, tmp_path):
    model = resolve(str(folder))
    items, decoding = problems(["binary-addition"], limit=5), Decoding(max_new_tokens=4)
    with Store.open(tmp_path) as store:
        for samples, new in ((1, 5), (3, 10)):
            made = requests(model, items, decoding, samples=samples, dtype="float32", template=PLAIN)
            assert run(made, Scripted(well), store).done == new


def test_a_failure_is_stored_and_asked_again_only_on_request(asked, tmp_path):
    with Store.open(tmp_path) as store:
        assert run(asked, Scripted(fail), store).failed == 12
        idle = Scripted(well)
        assert run(asked, idle, store).settled == 12
        assert idle.entered == 0
        again = run(asked, Scripted(well), store, retry_errors=True)
        assert (again.done, again.failed) == (12, 0)
        rows = store.read(["key", "stop", "attempt"])
    assert len(rows) == 12
    assert set(rows["stop"]) == {"stop"}
    assert set(rows["attempt"]) == {3}  # two at first, one now


def test_an_interrupted_run_keeps_what_was_answered_and_closes_the_engine(asked, tmp_path):
    def interrupted(wanted):
        yield from well(wanted[:5])
        raise KeyboardInterrupt

    engine = Scripted(interrupted)
    with Store.open(tmp_path) as store:
        with pytest.raises(KeyboardInterrupt):
            run(asked, engine, store)
        assert engine.closed == 1
        assert len(store.read(["key"])) == 5
        assert run(asked, Scripted(well), store).done == 7


def test_an_engine_that_forgets_a_request_is_found_out(asked, tmp_path):
    with Store.open(tmp_path) as store, pytest.raises(EngineError, match="1 of 12 requests unanswered"):
        run(asked, Scripted(lambda wanted: well(wanted[1:])), store)


def test_an_engine_that_answers_twice_is_found_out(asked, tmp_path):
    def twice(wanted):
        yield from well(wanted[:1] * 2)

    with Store.open(tmp_path) as store, pytest.raises(EngineError, match="twice"):
        run(asked, Scripted(twice), store)


def test_a_request_that_repeats_another_is_refused(asked, tmp_path):
    with Store.open(tmp_path) as store, pytest.raises(RequestError, match="1 requests repeat"):
        run([*asked, asked[0]], Scripted(well), store)


def test_a_run_is_on_record_with_its_settings(asked, tmp_path):
    with Store.open(tmp_path) as store:
        run(asked, Scripted(well), store, info={"passed": {"limit": 12}})
        entry = store.runs()[-1]
    assert entry["engine"]["engine"] == "scripted"
    assert entry["passed"] == {"limit": 12}


def test_progress_is_shown_to_the_end(asked, tmp_path, capsys):
    with Store.open(tmp_path) as store:
        run(asked, Scripted(well), store, progress=Progress(every=0))
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("12 rows in")
    assert sum("of 12 rows" in line for line in lines) == 12


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=4), st.data())
def test_any_sequence_of_interruptions_ends_with_every_request_once(stops, data):
    import tempfile

    made = requests(
        resolve_once(), problems(["syllogisms"], limit=12), Decoding(max_new_tokens=4), dtype="float32"
    )
    with tempfile.TemporaryDirectory() as path:
        for stop in stops:
            order = data.draw(st.permutations(made))

            def some(wanted, stop=stop):
                yield from well(wanted[:stop])
                if stop < len(wanted):
                    raise KeyboardInterrupt

            with Store.open(path) as store, contextlib.suppress(KeyboardInterrupt):
                run(order, Scripted(some), store)
        with Store.open(path) as store:
            run(made, Scripted(well), store)
            assert sorted(store.read(["key"])["key"]) == sorted(one.key for one in made)


def resolve_once():
    from handan.traces import Model

    return Model("m", "org/m", "org/m", "c" * 40)
