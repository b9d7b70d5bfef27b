import csv
import io
import json

import pytest
import typer
from typer.testing import CliRunner

from handan import cli_power
from handan.findings.verdict import FEWEST, PAPER, SMALLEST
from handan.stats.power import items_to_rule_out, required_items


@pytest.fixture
def power():
    app = typer.Typer()
    app.command("power")(cli_power.power)
    app.command("other")(lambda: None)  # a second command, so that the first keeps its name

    def run(*arguments):
        found = CliRunner().invoke(app, ["power", *map(str, arguments)])
        return found.exit_code, found.output

    return run


def test_without_options_it_says_what_is_needed_and_what_was_detectable(power):
    code, said = power()
    assert code == 0
    assert "to see a drop from 0.64 to 0.34 (as observed)" in said
    assert str(required_items(0.64, 0.34, 0.6)) in said
    assert "pm-bench" in said
    assert "smallest_drop" in said
    assert "not_supported" not in said


def test_csv_has_the_numbers_of_the_library(power):
    code, said = power("--format", "csv", "--between", 0.5, "--pairs", 3, "--one-teacher", "--power", 0.9)
    assert code == 0
    (row,) = csv.DictReader(io.StringIO(said))
    how = dict(power=0.9, n_pairs=3, one_teacher=True)
    assert int(row["items_to_see"]) == required_items(0.64, 0.34, 0.5, **how)
    assert int(row["items_to_rule_out"]) == items_to_rule_out(0.49, 0.5, 0.1, **how)


def test_fewer_items_than_the_rule_takes_are_never_named(power):
    _, said = power("--format", "json", "--r-a", 0.9, "--r-b", 0.1, "--between", 0.4)
    assert json.loads(said)[0]["items_to_see"] == FEWEST


def test_items_at_hand_get_their_own_table_and_are_given_to_the_recorded_models(power):
    code, said = power("--items", 100, "--level", "reached", "--format", "json")
    assert code == 0
    rows = json.loads(said)
    assert {row["n_items"] for row in rows} == {100}
    assert all(
        row["supported"] + row["cannot_tell"] + row["not_supported"] == pytest.approx(1) for row in rows
    )
    _, own = power("--level", "recorded", "--format", "csv")
    _, more = power("--level", "recorded", "--format", "csv", "--items", 5_000)
    for one, other in zip(csv.DictReader(io.StringIO(own)), csv.DictReader(io.StringIO(more)), strict=True):
        assert (one["study"], one["relation"]) == (other["study"], other["relation"])
        assert float(other["smallest_drop"]) < float(one["smallest_drop"])


def test_true_correlations_are_lowered_by_the_ceiling(power):
    _, said = power("--format", "json", "--between", 0.5, "--ceiling", 0.8, "--true")
    row = json.loads(said)[0]
    assert (row["r_a"], row["r_b"]) == pytest.approx((0.64 * 0.8, 0.34 * 0.8))
    assert (row["true_a"], row["true_b"]) == pytest.approx((0.64, 0.34))


def test_two_models_that_follow_people_alike_can_still_rule_a_drop_out(power):
    code, said = power("--r-a", 0.5, "--r-b", 0.5, "--between", 0.5, "--format", "json")
    (row,) = json.loads(said)
    assert (code, row["items_to_see"]) == (0, None)
    assert row["items_to_rule_out"] == items_to_rule_out(0.5, 0.5, SMALLEST)


def test_by_default_the_drop_is_that_of_the_paper(power):
    _, said = power("--format", "json", "--between", 0.5)
    assert (json.loads(said)[0]["r_a"], json.loads(said)[0]["r_b"]) == PAPER


def test_an_impossible_combination_is_a_row_with_a_note(power):
    code, said = power("--level", "needed", "--between", 0.97)
    assert code == 0
    assert "no data can have" in said


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("--ceiling", 0.5), "ceiling is 0.5"),
        (("--true",), "need the ceiling"),
        (("--power", 80), "0.8 for 80 %"),
        (("--r-a", 1.4), "'--r-a': a correlation lies between -1 and 1, and this is 1.4"),
        (("--r-a", "nan"), "'--r-a': a correlation lies between -1 and 1, and this is nan"),
        (("--r-b", -2), "'--r-b': a correlation lies between -1 and 1, and this is -2"),
        (
            ("--between", 0.2, "--between", 1.5),
            "'--between': a correlation lies between -1 and 1, and this is 1.5",
        ),
        (("--alike", "inf"), "'--alike': a correlation lies between -1 and 1, and this is inf"),
        (("--r-a", 0.3, "--r-b", 0.6), "from --r-a to --r-b, and 0.3 lies below 0.6"),
        (("--level", "reached"), "--items N"),
        (("--pairs", 0), "--pairs"),
    ],
)
def test_what_makes_no_sense_is_refused(power, given, says):
    code, said = power(*given)
    assert code == 2
    plain = " ".join(said.replace("│", " ").split())
    assert says in plain
