from functools import partial

import pyarrow.parquet as pq
import pytest
from tests.traces.ray_standin import cluster, importable, run_stage  # noqa: F401
from tests.traces.tiny import random_model

from handan.traces.errors import EngineError
from handan.traces.models import resolve
from handan.traces.ray_files import collect, write_requests
from handan.traces.ray_llm import generate, vllm_pipeline
from handan.traces.request import Decoding, Request
from handan.traces.transformers_engine import TransformersEngine

pytest.importorskip("ray")
pytest.importorskip("ray.data.checkpoint")
pytest.importorskip("transformers")

STOPS = {1}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return resolve(str(random_model(tmp_path_factory.mktemp("model"))))


@pytest.fixture(scope="module")
def asked(model):
    decoding = Decoding(max_new_tokens=12, temperature=0)
    return [
        Request(
            model.name,
            model.model_id,
            model.revision,
            "plain",
            "t",
            str(n),
            0,
            f"{n}+{n}=",
            decoding,
            "float32",
        )
        for n in range(6)
    ]


@pytest.fixture(scope="module")
def alone(model, asked):
    with TransformersEngine(model, dtype="float32", device="cpu", batch_size=1) as engine:
        engine_of = engine.tokenizer, {one.key: one for one in engine.complete(asked)}
    return engine_of


def test_a_run_that_fails_goes_on_where_it_was(cluster, model, asked, alone, tmp_path):  # noqa: F811
    cutter, single = alone
    work, answers, log = (tmp_path / name for name in ("work", "answers", "log"))
    log.mkdir()
    write_requests(asked, str(work), tokenizer=cutter, stops=STOPS, rows=4)
    pipeline = partial(run_stage, model=model, log=str(log))
    with pytest.raises(EngineError, match="the machine was taken away"):
        generate(str(work), str(answers), partial(pipeline, fails_after=4), block_rows=2)
    # A block may be written and not yet be noted as done when the end comes; it is done again.
    safe = {
        key
        for path in tmp_path.glob("answers-done/*.parquet")
        for key in pq.read_table(path)["key"].to_pylist()
    }
    assert 0 < len(safe) < len(asked)
    generate(str(work), str(answers), pipeline, block_rows=2)
    assert {key for key in safe if (log / key).read_text() != "generated\n"} == set(), (
        "these were done before"
    )
    found = list(collect(str(answers), asked, tokenizer=cutter, stops=STOPS))
    assert len(found) == len({one.key for one in found}) == len(asked)
    for one in found:
        theirs = single[one.key]
        assert (one.token_ids, one.text, one.stop, one.prompt_tokens) == (
            theirs.token_ids,
            theirs.text,
            theirs.stop,
            theirs.prompt_tokens,
        )


def test_without_rays_llm_package_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray.data.llm", None)
    with pytest.raises(EngineError, match=r"ray\[data,llm\]"):
        vllm_pipeline(model, dtype="float32")
