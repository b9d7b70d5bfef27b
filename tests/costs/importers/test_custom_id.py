import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.costs.importers.custom_id import Names, naming
from handan.costs.importers.reply import Options
from handan.norms import load_bank, task
from handan.traces.errors import ImportFormatError

items = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(deadline=None)
@given(
    items,
    st.integers(0, 10**9),
    st.sampled_from(["{task}|{item}|{sample}", "{sample}.{task}.{item}", "{task}:{item}#{sample}"]),
)
def test_what_a_pattern_builds_it_reads(item, sample, pattern):
    custom_id = (
        pattern.replace("{task}", "game-of-24").replace("{item}", item).replace("{sample}", str(sample))
    )
    assert Names({}, pattern, None, []).of(custom_id) == ("game-of-24", item, sample)


@pytest.mark.parametrize("pattern", ["", "{task}", "{item}{item}", "{item}-{seed}", "{item}{}"])
def test_a_pattern_that_makes_no_sense_is_refused(pattern):
    with pytest.raises(ImportFormatError, match=r"must hold \{item\} once"):
        Names({}, pattern, None, [])


def requests(tmp_path, *bodies):
    path = tmp_path / "requests.jsonl"
    lines = [
        json.dumps({"custom_id": f"r{place}", "method": "POST", "url": "/v1", "body": body})
        for place, body in enumerate(bodies)
    ]
    path.write_text("\n".join(lines))
    return path


def test_a_request_file_is_read_by_metadata_or_by_the_wording_of_the_problem(tmp_path):
    tagged = {"messages": [], "metadata": {"task": "t", "item": "i", "sample": "3"}}
    bank = [(name, load_bank([name])["item"].iloc[-1]) for name in ("game-of-24", "tower-of-london")]
    asked = [{"messages": [{"role": "user", "content": task(name).prompt(item)}]} for name, item in bank]
    plain = {"prompt": task("syllogisms").prompt("AA1")}
    names = naming(
        Options(requests=requests(tmp_path, tagged, *asked, plain, {"prompt": "Hello"}), task="other")
    )
    assert [names.of(f"r{place}") for place in range(5)] == [
        ("t", "i", 3), *[(*pair, None) for pair in bank], ("syllogisms", "AA1", None), ("other", "r4", None)
    ]  # fmt: skip
    assert "'r4'" in names.remarks[0]


def test_an_id_of_another_batch_is_noticed(tmp_path):
    names = naming(Options(requests=requests(tmp_path, {"prompt": task("syllogisms").prompt("AA1")})))
    with pytest.raises(ImportFormatError, match="not in the request file"):
        names.of("r9")
