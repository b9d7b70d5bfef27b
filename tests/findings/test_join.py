import numpy as np
import pandas as pd
import pytest

from handan.findings.join import NoOverlap, join, task_rng
from handan.tables import TableError

NORMS = pd.DataFrame({"task": "t", "item": ["1", "2", "3", "4"], "log_rt": [0.1, 0.2, 0.3, np.nan]})


def costs(**columns):
    base = {"model": "m", "task": "t", "item": ["1", "2", "3"], "reasoning_tokens": [10.0, 20.0, 40.0]}
    return pd.DataFrame(base | columns)


def test_log_costs_are_averaged_over_samples():
    two = pd.concat([costs(), costs(sample=1, reasoning_tokens=[40.0, 20.0, 10.0])])
    rows = join(two, NORMS).rows
    assert rows["n_samples"].tolist() == [2, 2, 2]
    assert np.exp(rows["log_cost"]).tolist() == pytest.approx([20, 20, 20])


def test_every_row_that_falls_out_is_accounted_for_by_its_most_basic_defect():
    frame = costs(item=["1", "2", "3"], reasoning_tokens=[0.0, np.nan, 5.0], stop=["stop", "stop", "error"])
    more = costs(item=["4", "9", "1"], sample=1)
    found = join(pd.concat([frame, more]), NORMS)
    account = found.excluded.set_index("reason")["n"].to_dict()
    assert account == {
        "the cost is zero": 1,
        "the cost is missing": 1,
        "the request failed": 1,
        "the norm is missing": 1,
        "the item has no norm": 1,
    }
    assert len(found.rows) == 1
    assert len(found.rows) + found.excluded["n"].sum() == 6


def test_the_share_of_cut_traces_is_kept():
    rows = join(costs(stop=["stop", "length", None]), NORMS).rows
    assert rows["truncated"].tolist() == pytest.approx([0.0, 1.0, np.nan], nan_ok=True)


def test_the_covariate_is_the_best_that_is_complete():
    assert join(costs(), NORMS).covariate is None
    assert join(costs(prompt_chars=[5, 6, 7]), NORMS).covariate == "prompt_chars"
    assert join(costs(prompt_chars=[5, 6, 7], prompt_tokens=[1, 2, 3]), NORMS).covariate == "prompt_tokens"
    assert join(costs(prompt_tokens=[1, 2, np.nan]), NORMS).covariate is None


def test_difficulty_stands_in_where_nobody_was_timed():
    norms = NORMS.drop(columns="log_rt").assign(difficulty=[1, 2, 3, 4])
    assert join(costs(), norms).rows["human"].tolist() == [1, 2, 3]


def test_another_cost_column():
    assert join(costs(output_tokens=[1, 1, 1]), NORMS, "output_tokens").rows["log_cost"].tolist() == [0, 0, 0]
    with pytest.raises(LookupError, match="no column 'tokens'"):
        join(costs(), NORMS, "tokens")


def test_tables_without_a_common_item_show_both_sides():
    with pytest.raises(NoOverlap, match=r"costs have .*t / 1(.|\n)*norms have .*other / 1"):
        join(costs(), NORMS.assign(task="other"))


def test_a_bad_table_is_refused():
    with pytest.raises(TableError):
        join(costs(reasoning_tokens=[-1, 2, 3]), NORMS)


def test_tasks_of_equal_length_are_resampled_differently():
    draws = [task_rng(0, "study", task).integers(0, 100, 20).tolist() for task in ("a", "b")]
    assert draws[0] != draws[1]
    assert draws[0] == task_rng(0, "study", "a").integers(0, 100, 20).tolist()


def test_a_cost_column_of_text_is_named():
    with pytest.raises(LookupError, match="no column 'model' of numbers"):
        join(costs(), NORMS, "model")


def test_rows_that_are_all_unusable_are_counted_in_the_error():
    with pytest.raises(NoOverlap, match="2 x the cost is zero, 1 x the cost is missing"):
        join(costs(reasoning_tokens=[0, 0, np.nan]), NORMS)


def test_what_was_cut_is_unknown_where_no_ending_is_recorded():
    assert join(costs(), NORMS).rows["truncated"].isna().all()


def test_rows_with_and_without_a_study_name_stay_together():
    found = join(costs(study=["s", None, None]), NORMS)
    assert len(found.rows) == 3


def test_a_model_may_not_take_the_name_of_people():
    costs = pd.DataFrame(dict(model="human", task="t", item=["a", "b"], reasoning_tokens=[1, 2]))
    norms = pd.DataFrame(dict(task="t", item=["a", "b"], log_rt=[0.0, 1.0]))
    with pytest.raises(LookupError, match="rename it"):
        join(costs, norms)
