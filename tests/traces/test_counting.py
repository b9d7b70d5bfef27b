import json

import pytest

from handan.traces import Completion, Decoding, Model, StoreError, requests
from handan.traces.counting import counted
from handan.traces.rows import row

pytest.importorskip("pyarrow")

from handan.traces.store import Store

ITEMS = [("syllogisms", item) for item in ("AA1", "AE1", "AI1")]


def model(name="m", tags=("<r>", "</r>")):
    return Model(name, f"org/{name}", f"org/{name}", "c" * 40, *tags)


def fill(path, made, text="<r>think</r>Answer: no", run=True, **of_model):
    with Store.open(path) as store:
        if run:
            about = {"name": made[0].model, "think_open": "<r>", "think_close": "</r>"} | of_model
            store.add_run({"requests": [one.key for one in made], "model": about})
        for one in made:
            store.add(row(one, Completion(one.key, text, "stop", output_tokens=9), "e"))


def test_the_tags_are_those_of_the_run(tmp_path):
    fill(tmp_path, requests(model(), ITEMS, Decoding(), dtype="f"))
    table, remarks = counted([tmp_path], keep_text=True)
    assert set(table["reasoning_text"]) == {"think"}
    assert remarks == []


def test_tags_can_be_given_and_are_guessed_with_a_remark(tmp_path):
    fill(tmp_path, requests(model(), ITEMS, Decoding(), dtype="f"), run=False)
    table, remarks = counted([tmp_path], keep_text=True)
    assert set(table["tags"]) == {"none"}
    assert "no tags on record for m" in remarks[0]
    table, remarks = counted([tmp_path], tags=("<r>", "</r>"), keep_text=True)
    assert (set(table["reasoning_text"]), remarks) == ({"think"}, [])


def test_a_trace_that_two_stores_hold_counts_once(tmp_path):
    made = requests(model(), ITEMS, Decoding(), dtype="f")
    fill(tmp_path / "a", made)
    fill(tmp_path / "b", made[:2])
    table, _ = counted([tmp_path / "a", tmp_path / "b"])
    assert len(table) == 3


def test_runs_under_other_settings_get_a_name_that_says_which(tmp_path):
    fill(tmp_path, requests(model(), ITEMS, Decoding(temperature=0.6), dtype="float32"))
    fill(tmp_path, requests(model(), ITEMS[:2], Decoding(temperature=1.0), dtype="float32"))
    fill(tmp_path, requests(model(), ITEMS[:1], Decoding(temperature=0.6), dtype="int8"))
    table, remarks = counted([tmp_path])
    names = table["model"].value_counts().to_dict()
    assert names == {"m": 3, "m@temperature=1.0": 2, "m@dtype=int8": 1}
    assert len(remarks) == 2


def test_several_models_keep_their_own_tags(tmp_path):
    fill(tmp_path, requests(model("one"), ITEMS, Decoding(), dtype="f"))
    fill(tmp_path, requests(model("two"), ITEMS, Decoding(), dtype="f"), "<t>mm</t>Answer: no",
         think_open="<t>", think_close="</t>")  # fmt: skip
    table, _ = counted([tmp_path], keep_text=True)
    assert table.groupby("model")["reasoning_text"].first().to_dict() == {"one": "think", "two": "mm"}


def test_an_empty_store_is_said_to_be_empty(tmp_path):
    with Store.open(tmp_path):
        pass
    with pytest.raises(StoreError, match="no trace"):
        counted([tmp_path])


def test_the_counts_make_a_costs_table_of_the_study(tmp_path):
    fill(tmp_path, requests(model(), ITEMS, Decoding(), samples=2, dtype="f"))
    table, _ = counted([tmp_path], study="mine")
    assert set(table["study"]) == {"mine"}
    assert sorted(table["sample"].unique()) == [0, 1]
    assert json.loads(table["decoding"].iloc[0])["temperature"] == 0.6
