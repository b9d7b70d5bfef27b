import shutil

import pandas as pd
import pytest
from tests.organism.tiny import TINY

from handan.norms import load_bank
from handan.organism import corpus, grammar, study
from handan.tables import check_costs, check_norms
from handan.traces.errors import StoreError

ITEMS = corpus.held_out_items(TINY.tasks)
KEY = ["model", "task", "item", "sample"]


def ordered(table):
    return table.sort_values(KEY, ignore_index=True)


@pytest.fixture(scope="module")
def asked(models, tmp_path_factory):
    """A store in which base and teacher did every held-out item twice."""
    store = tmp_path_factory.mktemp("study") / "traces"
    study.ask(models[:2], store, tasks=TINY.tasks, samples=2)
    return store


def test_norms_are_the_banks_and_only_of_held_out_items():
    norms = check_norms(study.norms())
    bank = load_bank(grammar.TASKS).set_index(["task", "item"])
    pairs = list(zip(norms["task"], norms["item"], strict=True))
    assert pairs == corpus.held_out_items()
    assert norms["log_rt"].tolist() == bank.loc[pairs, "log_rt"].tolist()
    assert norms["log_rt"].notna().all()
    one = study.norms(("cardinal-directions",))
    assert one["item"].tolist() == [item for task, item in pairs if task == "cardinal-directions"]


def test_costs_are_complete_models_by_items_by_samples(models, asked):
    table = check_costs(study.costs([asked]))
    rows = set(table[KEY].itertuples(index=False, name=None))
    assert len(rows) == len(table) == 2 * len(ITEMS) * 2
    names = [folder.name for folder in models[:2]]
    assert rows == {(name, *item, sample) for name in names for item in ITEMS for sample in (0, 1)}
    assert table["model"].unique().tolist() == names
    assert set(table["study"]) == {"organism"}
    assert set(table["stop"]) <= {"stop", "length"}
    assert table[["prompt_tokens", "reasoning_tokens", "correct"]].notna().all(axis=None)
    # Without tags nobody can say what the answer is; all others have one, if only an empty one.
    assert (table["answer_tokens"].notna() | (table["tags"] == "none")).all()


def test_samples_differ_and_some_are_right(asked):
    table = study.costs([asked])
    wide = table.pivot(index=["model", "task", "item"], columns="sample", values="reasoning_tokens")
    assert (wide[0] != wide[1]).any()
    assert 0 < table["correct"].mean() < 1


def test_what_was_answered_is_not_asked_again(models, asked):
    """Not even its time changes."""
    before = ordered(study.costs([asked]))
    study.ask(models[:2], asked, tasks=TINY.tasks, samples=2)
    pd.testing.assert_frame_equal(ordered(study.costs([asked])), before)


def test_an_interruption_costs_nothing_that_was_done(models, asked, tmp_path):
    class Interrupted(Exception):
        pass

    def stop(name, number, of):
        if number == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        study.ask(models[:2], tmp_path / "traces", tasks=TINY.tasks, samples=2, report=stop)
    before = ordered(study.costs([tmp_path / "traces"]))
    assert set(before["model"]) == {models[0].name}
    told = []
    study.ask(
        models[:2], tmp_path / "traces", tasks=TINY.tasks, samples=2, report=lambda *one: told.append(one)
    )
    after = ordered(study.costs([tmp_path / "traces"]))
    assert told == [(models[0].name, 1, 2), (models[1].name, 2, 2)]
    kept = after[after["model"] == models[0].name].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    undisturbed = ordered(study.costs([asked])).drop(columns="seconds")
    pd.testing.assert_frame_equal(after.drop(columns="seconds"), undisturbed)


def test_models_come_in_the_order_of_their_families(models, asked, tmp_path):
    """Within a family in the order of the design, whatever the order of the stores and of the asking."""
    late = shutil.copytree(models[2], tmp_path / "student-hard-carry-s0")
    early = shutil.copytree(models[3], tmp_path / "base-equal-s10")
    other = shutil.copytree(models[3], tmp_path / "base-carry-s2")
    study.ask([early, other, late], tmp_path / "traces", tasks=TINY.tasks, samples=1)
    table = study.costs([tmp_path / "traces", asked])
    assert table["model"].unique().tolist() == [
        *("base-carry-s0", "teacher-carry-s0", "student-hard-carry-s0"),
        *("base-carry-s2", "base-equal-s10"),
    ]


def test_two_models_of_one_name_are_not_mixed_up(models, tmp_path):
    """A family that was trained again is another one: its traces can't stand beside the old ones."""
    for source in models[:2]:
        folder = shutil.copytree(source, tmp_path / source.name / "base-carry-s0")
        study.ask([folder], tmp_path / "traces", tasks=TINY.tasks, samples=1)
    with pytest.raises(StoreError, match=r"base-carry-s0@revision=.* Remove the traces in .*traces"):
        study.costs([tmp_path / "traces"])


def test_pooling_puts_the_samples_of_all_seeds_side_by_side():
    from handan.organism.conditions import lineage

    names = ["base-carry-s0", "base-carry-s1", "teacher-carry-s0"]
    table = pd.DataFrame(
        [
            {"model": name, "task": "binary-addition", "item": "0000+0001", "sample": sample, "style": style}
            for name in names
            for sample, style in enumerate(("once", "steps"))
        ]
    )
    both = study.pooled(table, lineage(names))
    assert sorted(both["model"].unique()) == ["base-carry", "teacher-carry"]
    assert not both.duplicated(["model", "task", "item", "sample"]).any()
    assert len(both) == len(table)
    steps = study.pooled(table, lineage(names), "steps")
    assert set(steps["style"]) == {"steps"}
    assert (steps["model"] == "base-carry").sum() == 2
