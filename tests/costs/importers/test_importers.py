import json
import subprocess
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handan.costs.files import read_costs, write_costs
from handan.costs.importers import KINDS, read
from handan.costs.importers.assemble import canonical, tags_of
from handan.schema import TableError
from handan.tables import check_costs
from handan.traces.errors import ImportFormatError

FIXTURES = {
    "lm-eval": ("lm-eval-scripted", {}),
    "inspect": ("inspect-scripted.eval", {}),
    "openai-batch": ("openai-batch-output.jsonl", {"pattern": "{task}:{item}:{sample}"}),
    "vllm-batch": ("vllm-batch-output.jsonl", {"pattern": "{task}:{item}:{sample}"}),
}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("kind", FIXTURES)
def test_what_is_imported_passes_the_checks_and_survives_a_file(logs, tmp_path, kind, ending):
    name, options = FIXTURES[kind]
    costs = read(kind, logs / name, study="theirs", **options).costs
    pd.testing.assert_frame_equal(check_costs(costs), costs)
    assert set(costs["study"]) == {"theirs"}
    back = read_costs(write_costs(costs, tmp_path / f"x.{ending}"))
    key = [
        "study",
        "model",
        "task",
        "item",
        "sample",
        "reasoning_tokens",
        "n_chars",
        "stop",
        "tags",
        "counted",
        "loop",
    ]
    pd.testing.assert_frame_equal(back[key], costs[key], check_dtype=False)


def places(value, path=()):
    """Every place inside a JSON value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


odd = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just([])
    | st.just({})
    | st.just([{}])
)


@pytest.mark.parametrize("kind", FIXTURES)
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_log_with_any_value_replaced_is_read_or_refused_in_words(logs, tmp_path, kind, data):
    name, options = FIXTURES[kind]
    source = {
        "lm-eval": next((logs / "lm-eval-scripted").glob("samples_*")),
        "inspect": logs / "inspect-scripted.json",
    }
    path = source.get(kind, logs / name)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    number = data.draw(st.integers(0, len(lines) - 1))
    where = data.draw(st.sampled_from([place for place in places(lines[number]) if place]))
    lines[number] = replaced(lines[number], where, data.draw(odd))
    broken = tmp_path / path.name
    broken.write_text("\n".join(map(json.dumps, lines)))
    try:
        costs = read(kind, broken, **options).costs
    except (ImportFormatError, TableError) as error:
        assert str(error)
    else:
        pd.testing.assert_frame_equal(check_costs(costs), costs)


def test_an_unknown_kind_or_option_is_refused(logs):
    with pytest.raises(
        ImportFormatError, match=f"no log of kind 'helm' can be read; there are: {', '.join(KINDS)}"
    ):
        read("helm", logs)
    with pytest.raises(
        ImportFormatError, match="lm-eval has no use for columns; it takes: item, metric, model"
    ):
        read("lm-eval", logs, columns={"a": "b"})
    with pytest.raises(ImportFormatError, match="jsonl has no use for colums"):
        read("jsonl", logs, colums={"a": "b"})


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("QwQ-32B", "QwQ-32B"),
        ("Qwen/QwQ-32B", "QwQ-32B"),
        ("vllm/Qwen/QwQ-32B", "QwQ-32B"),
        ("org/unheard-of", "org/unheard-of"),
        ("", ""),
    ],
)
def test_models_of_the_lineage_are_known_under_their_long_names(name, known):
    assert canonical(name) == known


def test_tags_come_from_the_lineage():
    assert tags_of("s1.1-32B") == ("<|im_start|>think", "<|im_start|>answer")
    assert tags_of("Qwen2.5-32B-Instruct") == ("", "")
    assert tags_of("unheard-of") == ("<think>", "</think>")


def test_the_fixtures_are_small_and_name_no_machine(logs):
    files = [path for path in logs.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 100_000
    for path in files:
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"/tmp/", b"/home/", b"/root/", b"site-packages")), path


def test_importing_is_light():
    code = "import sys, handan.costs.importers; print([m for m in ('torch', 'transformers', 'pyarrow.parquet', 'tokenizers') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
