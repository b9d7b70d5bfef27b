import numpy as np
import pandas as pd

from handan.report.columns import look


def frame(**columns):
    return pd.DataFrame({name: [value] for name, value in columns.items()})


def test_an_estimate_takes_the_interval_that_belongs_to_it():
    for table, owner, ends in [
        (frame(study="s", mean_r=0.1, low=0.0, high=0.2), "mean_r", ("low", "high")),
        (frame(r=0.1, r_low=0.0, r_high=0.2, boot_low=0.0, boot_high=0.2), "r", ("boot_low", "boot_high")),
        (frame(difference=0.1, zou_low=0.0, zou_high=0.2), "difference", ("zou_low", "zou_high")),
        (frame(multiplier=2.0, multiplier_low=1.0, multiplier_high=3.0), "multiplier", ("multiplier_low", "multiplier_high")),
        (frame(estimate=1.0, se=0.1, df=3.0, low=0.0, high=2.0), "estimate", ("low", "high")),
        (frame(r=0.1, n=3, difference=0.1, low=0.0, high=0.2), "difference", ("low", "high")),
    ]:  # fmt: skip
        seen = look(table)
        assert seen.intervals[owner] == ends
        assert seen.labels[owner].endswith("[95 %]")
        assert not set(ends) & set(seen.labels)


def test_a_number_takes_only_one_interval_and_text_takes_none():
    table = frame(difference=0.1, boot_low=0.0, boot_high=0.2, low=-1.0, high=1.0, r="note")
    seen = look(table)
    assert seen.intervals == {"difference": ("boot_low", "boot_high")}
    assert {"low", "high"} <= set(seen.labels)


def test_columns_that_are_named_are_shown_in_that_order_if_they_exist():
    table = frame(a=1, b=2, c=3, sentence="long")
    assert list(look(table, ("c", "gone", "a")).labels) == ["c", "a"]
    assert list(look(table, ("gone",)).labels) == ["a", "b", "c"]


def test_an_empty_column_is_left_out_but_never_the_ceiling():
    table = frame(r=0.1, note="", bf10=np.nan, ceiling=np.nan, truncated=np.nan)
    assert list(look(table).labels) == ["r", "ceiling", "truncated"]


def test_the_claim_is_shown_where_a_table_has_several():
    several = pd.DataFrame({"claim": ["collapse", "transfer"], "median": [0.1, 0.2]})
    assert list(look(several).labels) == ["claim", "median"]
    assert list(look(several.head(1)).labels) == ["median"]
