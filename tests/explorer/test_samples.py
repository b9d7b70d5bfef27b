from handan import explorer, norms
from handan.explorer.samples import MODELS


def test_each_model_writes_about_each_item_once(samples):
    assert samples.models == MODELS
    assert len(samples.rows) == 9
    assert not samples.rows.duplicated(["model", "item"]).any()


def test_texts_counts_and_verdicts_belong_together(samples, found):
    recorded = found[2].study.costs.groupby(["model", "task", "item"])["output_tokens"].agg(["min", "max"])
    for row in samples.rows.iloc[1:].itertuples():  # the first was changed for another test
        assert bool(row.correct) == norms.task(row.task).grade(row.item, row.text).correct
        assert not row.cut
        known = recorded.loc[(row.model, row.task, row.item)]
        assert known["min"] * 0.5 <= row.tokens <= known["max"] * 2


def test_an_item_is_asked_in_the_task_that_was_named():
    made = explorer.tiny_traces(models=MODELS[:1], tasks=("binary-subtraction",), limit=2)
    assert made.rows["task"].unique().tolist() == ["binary-subtraction"]
    assert len(made.rows) == 2
