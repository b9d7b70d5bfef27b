from dataclasses import replace

import pandas as pd
import pytest
from tests.findings.simulated import Truth, inputs_of

from handan.facts import study_facts


def ceilings(low, high):
    one = inputs_of(Truth(n_items=30), 0)
    tasks = one.joined.rows[["study", "task"]].drop_duplicates()
    known = tasks.assign(reliability=0.81, low=low, high=high)
    return study_facts(replace(one, reliability=known)).iloc[0]


def test_the_ends_of_a_ceiling_are_those_of_the_reliability():
    found = ceilings(0.64, 0.9025)
    assert found[["ceiling", "ceiling_low", "ceiling_high"]].tolist() == pytest.approx([0.9, 0.8, 0.95])


def test_a_reliability_that_may_be_negative_leaves_a_ceiling_of_nothing():
    assert ceilings(-0.1, 0.95)["ceiling_low"] == 0


def test_without_an_interval_of_the_reliability_a_ceiling_has_no_ends():
    found = ceilings(float("nan"), float("nan"))
    assert found["ceiling"] == pytest.approx(0.9)
    assert pd.isna(found[["ceiling_low", "ceiling_high"]]).all()
