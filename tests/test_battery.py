import pandas as pd
import pytest
from tests.findings.simulated import Truth, inputs_of, lineage_of, tables

from handan.battery import Sizes, Step, battery, compute
from handan.gather import gather
from handan.inputs import in_families
from handan.lineage import load_lineage
from handan.steps import STEPS

SMALL = Sizes(n_boot=200, n_pooled=400, n_perm=50)


@pytest.fixture(scope="module")
def one():
    return inputs_of(Truth(n_items=60))


@pytest.fixture(scope="module")
def whole(one):
    steps = []
    return battery([one], lineage_of(), sizes=SMALL, report=steps.append, jobs=1), steps


def test_every_finding_is_computed_or_skipped_with_a_reason(whole):
    found, steps = whole
    assert [step.finding for step in steps] == list(STEPS)
    assert set(found.skipped["finding"]) < set(STEPS)
    assert found.skipped["reason"].str.len().gt(10).all()
    for name, table in found.tables.items():
        assert "study" in table.columns, name


def test_progress_says_how_far_it_is_and_how_long_it_takes(whole):
    _, steps = whole
    assert [step.done for step in steps] == list(range(1, len(STEPS) + 1))
    assert {step.total for step in steps} == {len(STEPS)}
    assert steps[-1].left == 0
    assert str(Step("s", "collapse", 1, 4, 2.0)) == "1 of 4: collapse of s (0.5 findings/s, about 6 s left)"


def test_two_processes_compute_what_one_does(one, whole):
    alone, _ = whole
    other = battery([one], lineage_of(), sizes=SMALL, only=["collapse", "alignment"], jobs=2)
    for name in ("collapse", "collapse_pairs", "alignment", "means"):
        pd.testing.assert_frame_equal(other.tables[name], alone.tables[name])


def test_facts_account_for_every_row(one, whole):
    fact = whole[0].facts.iloc[0]
    assert (fact["n_items"], fact["n_models"], fact["n_rows"], fact["excluded"]) == (60, 3, 180, 0)
    broken = tables(Truth(n_items=60))
    broken[0].loc[:4, "reasoning_tokens"] = 0
    from handan.findings.join import join
    from handan.inputs import Inputs
    from handan.tables import check_costs, check_norms

    costs, norms = check_costs(broken[0]), check_norms(broken[1])
    lost = battery([Inputs(join(costs, norms), None, costs, norms)], lineage_of(), only=["alignment"], jobs=1)
    fact = lost.facts.iloc[0]
    assert fact["n_rows"] + fact["excluded"] == 180
    assert "5 cost rows left out, the cost is zero" in lost.remarks[0]


def test_an_unknown_finding_is_named(one):
    with pytest.raises(LookupError, match="no finding phrenology; there are: "):
        battery([one], lineage_of(), only=["phrenology"])


def test_a_finding_that_does_not_apply_gives_its_reason(one):
    only_teacher = lineage_of().query("role == 'teacher'")
    assert compute("transfer", one, only_teacher, SMALL) == (
        "it needs a student and a baseline of its own on the same items"
    )


def test_families_stand_beside_the_studies(one):
    families = in_families(None, n_boot=100)
    found = battery([one], lineage_of(), families, SMALL, only=["alignment"], jobs=1)
    assert found.facts["families"].tolist() == [False, True]
    assert set(found.tables) > {"families_conditions", "families_effects", "families_inflation"}
    assert found.facts["n_models"].iloc[1] == 120


def test_gather_takes_studies_or_tables_but_not_both(tmp_path):
    costs, norms = tables(Truth(n_items=30))
    costs.to_csv(tmp_path / "costs.csv", index=False)
    norms.to_csv(tmp_path / "norms.csv", index=False)
    given = gather(tmp_path / "costs.csv", tmp_path / "norms.csv")
    assert (len(given.inputs), given.families) == (1, None)
    assert given.lineage.equals(load_lineage())
    with pytest.raises(LookupError, match="not both"):
        gather(tmp_path / "costs.csv", study=["mip-math"])
    with pytest.raises(LookupError, match="a costs table of your own"):
        gather(norms=tmp_path / "norms.csv")
    assert gather(study=["organism"], n_boot=100).inputs == []
