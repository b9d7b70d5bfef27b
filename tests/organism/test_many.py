import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch
from tests.organism.tiny import TINY

from handan.lineage import checked
from handan.organism import corpus, family, many
from handan.organism.checkpoint import CheckpointError
from handan.tables import check_costs, read_table

RECIPES = [TINY, replace(TINY, seed=1, repertoire="equal")]
KEY = ["model", "task", "item", "sample"]


def by_key(table):
    return table.drop(columns="seconds").sort_values(KEY, ignore_index=True)


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory):
    """Costs, folder, messages, and the threads that torch had at each: families one after another."""
    out, heard, threads = tmp_path_factory.mktemp("alone"), [], []

    def listen(message):
        heard.append(message)
        threads.append(torch.get_num_threads())

    with family.torch_threads(2):
        costs = many.run(RECIPES, out, ("teacher",), samples=1, report=listen)
    return costs, out, heard, threads


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    out, heard = tmp_path_factory.mktemp("together"), []
    return many.run(RECIPES, out, ("teacher",), samples=1, processes=2, report=heard.append), out, heard


def test_processes_do_not_change_the_result(one_by_one, side_by_side):
    pd.testing.assert_frame_equal(by_key(side_by_side[0]), by_key(one_by_one[0]))
    weights = [
        {path.parent.name: path.read_bytes() for path in out.glob("models/*/model.safetensors")}
        for out in (one_by_one[1], side_by_side[1])
    ]
    assert len(weights[0]) == 4
    assert weights[0] == weights[1]


def test_nor_does_the_number_of_threads_that_torch_would_take(one_by_one):
    _, _, heard, threads = one_by_one
    at_work = [number for message, number in zip(heard, threads, strict=True) if message.share < 1]
    assert set(at_work) == {1}


def test_every_model_did_every_held_out_item(one_by_one):
    table = check_costs(one_by_one[0])
    names = [f"{name}-{which}" for which in ("carry-s0", "equal-s1") for name in ("base", "teacher")]
    items = corpus.held_out_items(TINY.tasks)
    rows = set(table[KEY].itertuples(index=False, name=None))
    assert rows == {(name, *item, 0) for name in names for item in items}
    assert len(table) == len(rows)
    assert "error" not in set(table["stop"])


def test_tables_are_written_beside_the_models(one_by_one):
    costs, out, *_ = one_by_one
    written = check_costs(read_table(out / "costs.csv"))
    assert written["reasoning_tokens"].tolist() == costs["reasoning_tokens"].tolist()
    kin = checked(read_table(out / "lineage.csv")).set_index("model")
    assert set(kin.index) == set(costs["model"])
    assert kin.loc["teacher-equal-s1", "base"] == "base-equal-s1"


@pytest.mark.parametrize("run", ["one_by_one", "side_by_side"])
def test_families_say_how_far_they_are(run, request):
    heard = request.getfixturevalue(run)[2]
    for name in ("carry-s0", "equal-s1"):
        mine = [message for message in heard if message.family == name]
        shares = [message.share for message in mine]
        assert shares == sorted(shares)
        assert shares[-1] == 1
        assert {message.what for message in mine} == {"training", "done", "asking"}
        assert [message.model for message in mine if message.what == "asking"] == [
            f"base-{name}",
            f"teacher-{name}",
        ]
        assert all("step" in message.detail for message in mine if message.what == "training")
        assert all((message.number, message.of) in {(1, 2), (2, 2)} for message in mine)


def test_the_same_call_goes_on_and_does_nothing_twice(one_by_one):
    costs, out, *_ = one_by_one
    heard = []
    again = many.run(RECIPES, out, ("teacher",), samples=1, report=heard.append)
    pd.testing.assert_frame_equal(again, costs)
    assert "training" not in {message.what for message in heard}


def test_a_family_that_fails_stops_the_others_with_its_error(tmp_path, models):
    """The other one would train for minutes more; it is stopped before its base is done."""
    shutil.copytree(models[0], tmp_path / "models/base-carry-s0")
    (tmp_path / "models/base-carry-s0/training.json").write_text("{")
    long = replace(TINY, seed=1, base=replace(TINY.base, steps=20_000))
    with pytest.raises(CheckpointError, match="base-carry-s0 holds no whole model"):
        many.run([TINY, long], tmp_path, ("base",), samples=1, processes=2)
    assert not (tmp_path / "models/base-carry-s1").exists()
    assert not (tmp_path / "costs.csv").exists()
