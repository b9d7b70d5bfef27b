import warnings

import numpy as np
import pandas as pd
import pytest

from handan import costs as recorded
from handan.findings.fingerprint import Fingerprints, Task
from handan.findings.geometry import ALLOCATION, MODELS, PAIRS, STUDENTS, STUDIES, TESTS, geometry
from handan.findings.geometry_allocation import allocation_rows
from handan.findings.geometry_kin import kin
from handan.findings.geometry_pairs import Similarity, comparable
from handan.findings.join import Joined, join
from handan.findings.verdict import verdict
from handan.lineage import load_lineage
from handan.stats.similarity import classical_layout, disattenuated
from handan.stats.simulate import proportion_interval

SHAPES = dict(
    pairs=PAIRS, models=MODELS, tests=TESTS, students=STUDENTS, allocation=ALLOCATION, studies=STUDIES
)
QUICK = dict(n_boot=300, n_perm=500)
LINEAGE = pd.DataFrame(
    [
        ("t1", "teacher", None, None, 100.0),
        ("t2", "teacher", None, None, 90.0),
        ("s1", "student", "t1", "b1", 1.0),
        ("s2", "student", "t1", "b2", 4.0),
        ("s3", "student", "t1", "b3", 9.0),
        ("b1", "baseline", None, None, 1.0),
        ("b2", "baseline", None, None, 4.0),
        ("b3", "baseline", None, None, 9.0),
    ],
    columns=["model", "role", "teacher", "base", "params"],
)


def study(follow, n=120, seed=0, samples=1, noise=0.0, name="simulated", lineage=LINEAGE):
    """Every model has a pattern of its own; students copy that of their teacher or of their base.

    `follow` gives the weight of the teacher's and of the base's pattern in a student's.
    """
    rng = np.random.default_rng(seed)
    items = [f"i{k}" for k in range(n)]
    own = {model: rng.normal(size=n) for model in lineage["model"]}
    rows = []
    for row in lineage.to_dict("records"):
        pattern = own[row["model"]]
        if row["role"] == "student":
            rest = np.sqrt(1 - follow[0] ** 2 - follow[1] ** 2)
            pattern = follow[0] * own[row["teacher"]] + follow[1] * own[row["base"]] + rest * pattern
        for sample in range(samples):
            tokens = np.exp(6 + 0.5 * (pattern + noise * rng.normal(size=n)))
            rows.append(
                pd.DataFrame(
                    dict(study=name, model=row["model"], task="t", item=items, sample=sample)
                ).assign(reasoning_tokens=tokens, stop="stop")
            )
    norms = pd.DataFrame(dict(task="t", item=items, log_rt=1 + 0.3 * own["t1"] + 0.3 * rng.normal(size=n)))
    return pd.concat(rows, ignore_index=True), norms


def found(costs, norms, lineage=LINEAGE, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return geometry(join(costs, norms), lineage, None, costs, **{**QUICK, **options})


@pytest.fixture(scope="module")
def taught():
    return found(*study((0.8, 0.1)))


def typed(result):
    for name, shape in SHAPES.items():
        table = getattr(result, name)
        assert {column: str(kind) for column, kind in table.dtypes.items()} == {
            column: str(pd.Series(dtype=kind).dtype) for column, kind in shape.items()
        }
    return result


def test_every_pair_of_models_and_people_is_there(taught):
    typed(taught)
    assert len(taught.pairs) == 9 * 8 // 2
    pair = taught.pairs.query("a == 't1' and b == 's1'").iloc[0]
    assert (pair["relation"], pair["role_a"], pair["role_b"], pair["n"]) == (
        "own teacher",
        "teacher",
        "student",
        120,
    )
    assert pair["low"] < pair["r"] < pair["high"]
    assert pair["r"] == pytest.approx(0.8, abs=0.12)
    assert taught.pairs.query("b == 'people'")["relation"].unique().tolist() == ["norms"]
    assert taught.pairs.query("a == 's1' and b == 's2'")["relation"].tolist() == ["both students"]
    assert taught.pairs.query("a == 's1' and b == 'b1'")["relation"].tolist() == ["true base"]
    assert taught.pairs["corrected"].isna().all()


def test_students_of_one_teacher_are_found_together(taught):
    tests = taught.tests.set_index("test")
    together = tests.loc["students together"]
    assert together["exact"]
    assert together["n_perm"] == 56
    assert together["p_smallest"] == pytest.approx(1 / 56)
    # their teacher is as near to them: with it in place of a student there are three more such groups
    assert together["p"] <= 4 / 56 + 1e-9
    assert 0 < together["low"] < together["effect"] < together["high"]
    matrix = taught.pairs.set_index(["a", "b"])["r"]
    assert together["r_own"] == pytest.approx(matrix[[("s1", "s2"), ("s1", "s3"), ("s2", "s3")]].mean())
    teacher = tests.loc["own teacher"]
    assert teacher["p"] == teacher["p_smallest"] == 0.5
    assert "no p below .05" in teacher["note"]
    assert teacher["effect"] == pytest.approx(teacher["r_own"] - teacher["r_others"])
    assert tests.loc["similar size", "n_pairs"] == 28


def test_students_of_their_bases_keep_their_allocation():
    result = found(*study((0.0, 0.8)))
    tests = result.tests.set_index("test")
    assert tests.loc["own baseline", "p"] == pytest.approx(1 / 6)
    assert tests.loc["own baseline", "effect"] > 0.5
    assert tests.loc["students together", "p"] > 0.05
    row = result.allocation.iloc[0]
    assert (row["verdict"], row["n_pairs"], row["relation"]) == ("supported", 3, "true base")
    assert row["difference"] == pytest.approx(row["r_base"] - row["r_teacher"])
    assert "keep the allocation of their base is supported" in row["sentence"]


def test_students_of_their_teacher_do_not(taught):
    row = taught.allocation.iloc[0]
    assert row["verdict"] == "not supported"
    assert row["high"] < 0
    assert "goes the other way" in row["sentence"]
    assert taught.students["student"].tolist() == ["s1", "s2", "s3"]
    assert taught.students["difference"].mean() == pytest.approx(row["difference"])


def test_few_items_leave_it_open():
    row = found(*study((0.0, 0.8), n=12)).allocation.iloc[0]
    assert row["verdict"] == "cannot tell"
    assert "fewer than 20 items" in row["sentence"]


def test_many_small_tasks_leave_it_open():
    parts = [[frame.assign(task=f"t{k}") for frame in study((0.0, 0.9), n=6, seed=k)] for k in range(8)]
    costs, norms = (pd.concat(both, ignore_index=True) for both in zip(*parts, strict=True))
    row = found(costs, norms).allocation.iloc[0]
    assert (row["n_items"], row["verdict"]) == (48, "cannot tell")
    assert row["low"] > 0
    assert row["sentence"].endswith("fewer than 20 items in every task.")


def test_a_student_with_few_items_is_not_pooled():
    costs, norms = study((0.0, 0.8))
    few = (costs["model"] == "s3") & (costs["item"].str[1:].astype(int) >= 18)
    result = found(costs[~few], norms)
    students = result.students.set_index("student")
    assert students["n"].tolist() == [120, 120, 18]
    assert students["note"].tolist() == ["", "", "not pooled: fewer than 20 items in every task"]
    row = result.allocation.iloc[0]
    assert (row["n_pairs"], row["verdict"]) == (2, "supported")
    assert row["difference"] == pytest.approx(students["difference"].iloc[:2].mean())


def test_tasks_that_a_student_never_did_leave_its_interval_alone():
    costs, norms = study((0.5, 0.5), n=14)
    others = costs[costs["model"].isin(["t2", "b3"])]
    more = pd.concat([costs, *(others.assign(task=f"u{k}") for k in range(12))], ignore_index=True)
    wider = pd.concat([norms, *(norms.assign(task=f"u{k}") for k in range(12))], ignore_index=True)
    rows = [found(*both).students.set_index("student").loc["s1"] for both in ((costs, norms), (more, wider))]
    widths = [row["high"] - row["low"] for row in rows]
    assert rows[0]["n"] == rows[1]["n"] == 14
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_base_and_teacher_are_compared_on_the_same_items():
    costs, norms = study((0.5, 0.5))
    lost = costs.drop(costs[(costs["model"] == "b1") & (costs["item"] < "i3")].index)
    one = found(lost, norms).students.set_index("student")
    left = costs[(costs["item"] >= "i3") | (costs["model"] == "t2")]
    other = found(left, norms).students.set_index("student")
    assert one.at["s1", "n"] == other.at["s1", "n"] < one.at["s2", "n"]
    assert one.at["s1", "r_teacher"] == pytest.approx(other.at["s1", "r_teacher"])


def test_both_kinds_of_baseline_are_pooled_apart_and_together():
    lineage = LINEAGE.assign(sibling=[None] * 2 + ["b2", "b3", None] + [None] * 3)
    result = found(*study((0.5, 0.5)), lineage=lineage)
    assert result.allocation["relation"].tolist() == ["true base", "instruct sibling", "all"]
    assert result.allocation["n_pairs"].tolist() == [3, 2, 5]


def test_noise_is_corrected_where_samples_repeat():
    costs, norms = study((0.8, 0.1), n=500, samples=4, noise=1.0)
    result = found(costs, norms)
    pair = result.pairs.query("a == 't1' and b == 's1'").iloc[0]
    assert pair["reliability_a"] == pytest.approx(0.8, abs=0.05)
    assert pair["r"] == pytest.approx(0.64, abs=0.08)
    assert pair["corrected"] == pytest.approx(0.8, abs=0.08)
    assert pair["corrected"] == pytest.approx(
        float(disattenuated(pair["r"], pair["reliability_a"], pair["reliability_b"]))
    )
    assert result.students["corrected"].notna().all()


def test_a_corrected_r_above_one_is_flagged_and_gives_no_difference():
    lineage = LINEAGE.query("model in ['t1', 's1', 'b1']")
    costs, norms = study((0.999, 0.0), n=40, samples=3, noise=1.5, seed=5, lineage=lineage)
    pairs = found(costs, norms, lineage).pairs
    odd = pairs[pairs["corrected"] > 1]
    assert len(odd)
    assert odd["note"].str.contains("above 1").all()
    flat = costs.assign(reasoning_tokens=np.random.default_rng(0).lognormal(size=len(costs)))
    result = found(flat, norms, lineage)
    hopeless = result.pairs[(result.pairs[["reliability_a", "reliability_b"]] <= 0).any(axis=1)]
    assert len(hopeless)
    assert hopeless["note"].str.contains("not above 0").all()
    assert hopeless["corrected"].isna().all()


def test_the_map_shows_the_distances_and_how_stable_it_is(taught):
    models = taught.models
    assert sorted(models["leaf"]) == list(range(9))
    leaves = models.set_index("model")["leaf"]
    students = leaves[["s1", "s2", "s3"]]
    assert students.max() - students.min() <= 4
    r = np.ones((9, 9))
    place = {name: k for k, name in enumerate(models["model"])}
    for row in taught.pairs.itertuples():
        r[place[row.a], place[row.b]] = r[place[row.b], place[row.a]] = row.r
    assert classical_layout(np.sqrt(2 * (1 - r))).points == pytest.approx(models[["x", "y"]].to_numpy())
    about = taught.studies.iloc[0]
    assert (about["n_models"], about["n_mapped"], about["n_maps"], about["measure"]) == (8, 9, 300, "people")
    assert 0 < about["share"] < 1
    assert 0 < about["stress"] < 1
    assert about["spread"] == pytest.approx(models["spread"].mean())
    assert (models["ellipse_width"] >= models["ellipse_height"]).all()


def test_more_items_make_a_steadier_map():
    three = LINEAGE.query("model in ['t1', 's1', 'b1']")
    few, many = (
        found(*study((0.5, 0.5), n=n, lineage=three), three).studies["spread"].iloc[0] for n in (30, 1_000)
    )
    assert many < few / 3


def test_the_nearest_model_is_a_model(taught):
    models = taught.models.set_index("model")
    assert models.at["people", "nearest"] == "t1"
    assert 0.6 < models.at["people", "nearest_share"] <= 1
    assert not models["nearest"].eq("people").any()
    with_t1 = taught.pairs.query("(a == 't1' or b == 't1') and b != 'people'")
    assert models.at["t1", "mean_r"] == pytest.approx(with_t1["r"].mean())
    assert models.at["t1", "nearest_r"] == pytest.approx(with_t1["r"].max())


def test_another_seed_changes_the_draws_alone():
    tables = study((0.5, 0.3))
    one, again, other = (found(*tables, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.pairs, again.pairs)
    assert one.pairs["r"].equals(other.pairs["r"])
    assert not one.pairs["low"].equals(other.pairs["low"])


def test_studies_in_one_table_are_compared_apart():
    first, second = study((0.8, 0.1)), study((0.0, 0.8), seed=1, name="second")
    costs = pd.concat([first[0], second[0].assign(task="u")], ignore_index=True)
    norms = pd.concat([first[1], second[1].assign(task="u")], ignore_index=True)
    both = typed(found(costs, norms, measure={"second": "teachers' grades"}))
    assert both.studies["study"].tolist() == ["simulated", "second"]
    assert both.studies["measure"].tolist() == ["people", "teachers' grades"]
    alone = found(*first)
    pd.testing.assert_frame_equal(both.pairs[both.pairs["study"] == "simulated"], alone.pairs)
    assert both.allocation["verdict"].tolist() == ["not supported", "supported"]


@pytest.mark.parametrize("models", [["t1"], ["t1", "s1"], ["t1", "t2"]])
def test_too_few_models_give_rows_without_a_test_and_a_note(models):
    costs, norms = study((0.5, 0.3))
    result = typed(found(costs[costs["model"].isin(models)], norms))
    k = len(models) + 1
    assert (len(result.pairs), len(result.models), len(result.tests)) == (k * (k - 1) // 2, k, 5)
    assert result.tests["p"].isna().all()
    assert result.tests["note"].str.contains("fewer than 3 models").all()
    assert result.allocation.empty
    assert "own teacher and a baseline" in result.studies["note"].iloc[0]
    assert result.models["x"].notna().all() == (k >= 3)


def test_two_items_are_too_few_and_this_is_said():
    costs, norms = study((0.5, 0.3), n=2)
    result = typed(found(costs, norms))
    assert result.pairs["r"].isna().all()
    assert result.pairs["note"].str.contains("3 common items").all()
    assert "no order and no map" in result.studies["note"].iloc[0]
    assert result.tests["note"].str.contains("fewer than 3").all()
    # whoever has no r with its relatives is said so, too
    assert result.students["note"].str.contains("no r").all()
    assert result.allocation.empty


def test_a_model_of_constant_cost_is_kept_and_flagged():
    costs, norms = study((0.8, 0.1))
    costs.loc[costs["model"] == "s3", "reasoning_tokens"] = 77.0
    result = typed(found(costs, norms))
    flat = result.models.set_index("model").loc["s3"]
    assert "no fingerprint" in flat["note"]
    assert np.isnan(flat["x"])
    assert result.studies["n_mapped"].iloc[0] == 8
    assert result.tests["n_models"].max() == 7
    assert result.allocation["n_pairs"].tolist() == [2]
    assert result.students.set_index("student").at["s3", "note"] != ""


def test_hostile_tables_do_not_disturb():
    costs, norms = study((0.5, 0.3), samples=2, noise=0.2)
    strange = {"t2": "Human", "b3": "people", "b2": "<script>alert(1)</script>"}
    costs["model"] = costs["model"].replace(strange)
    lineage = LINEAGE.replace({column: strange for column in ("model", "teacher", "base")})
    costs.loc[costs.index % 7 == 0, "reasoning_tokens"] = 0.0
    costs.loc[costs.index % 11 == 0, "stop"] = "error"
    costs["correct"] = np.nan
    told = pd.DataFrame(dict(study=["simulated"], task=["t"], reliability=[np.nan]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = typed(geometry(join(costs, norms), lineage, told, costs, **QUICK))
    assert result.studies["measure"].tolist() == ["people (norms)"]
    assert {"Human", "people", "<script>alert(1)</script>"} <= set(result.models["model"])
    assert result.pairs["r"].notna().all()
    assert result.pairs["reliability_a"].notna().any()


def test_a_model_without_lineage_is_compared_and_takes_part_in_no_test():
    costs, norms = study((0.8, 0.1))
    result = found(costs, norms, LINEAGE[LINEAGE["model"] != "t2"])
    assert result.models.set_index("model").at["t2", "role"] == "not in the lineage"
    assert len(result.pairs) == 36
    assert result.tests["n_models"].max() == 7
    nobody = typed(found(costs, norms, LINEAGE.assign(model="x" + LINEAGE["model"], teacher=None, base=None)))
    assert nobody.tests["p"].isna().all()
    assert nobody.models["x"].notna().all()


def test_models_without_common_items_leave_the_map():
    costs, norms = study((0.5, 0.3))
    first = costs["item"].isin([f"i{k}" for k in range(60)])
    apart = costs[(first & (costs["model"] != "t2")) | (~first & (costs["model"] == "t2"))]
    result = typed(found(apart, norms))
    row = result.models.set_index("model").loc["t2"]
    assert "not on the map" in row["note"]
    assert result.studies["n_mapped"].iloc[0] == 8


def test_the_one_with_most_gaps_goes_first():
    matrix = np.ones((4, 4))
    matrix[3, :3] = matrix[:3, 3] = np.nan
    assert comparable(matrix, [0, 1, 2, 3]) == [0, 1, 2]
    assert comparable(matrix, [3]) == [3]
    assert comparable(np.full((2, 2), np.nan), [0, 1]) == []


def test_relations_are_read_in_both_directions():
    known = kin(LINEAGE)
    assert known.relation("t1", "s1") == known.relation("s1", "t1") == "own teacher"
    assert known.relation("t1", "t2") == known.relation("t2", "s1") == ""
    assert (known.role("t1"), known.role("t1@long")) == ("teacher", "other settings")
    assert (known.role("nobody"), known.own("nobody", "base")) == ("not in the lineage", None)
    assert np.isnan(known.size("nobody"))


def test_families_are_averaged_over_seeds_and_the_sentence_says_so():
    family = pd.DataFrame(
        [
            dict(model=f"{name}-{seed}", role=role, condition=name, repertoire="x", seed=seed)
            | dict(teacher=f"teacher-{seed}" if role == "student" else None)
            | dict(base=f"base-{seed}" if role != "baseline" else None)
            for seed in range(3)
            for name, role in (("base", "baseline"), ("teacher", "teacher"), ("student", "student"))
        ]
    )
    costs, norms = study((0.8, 0.0), lineage=LINEAGE.query("model in ['t1', 's1', 'b1']"))
    names = {"t1": "teacher", "s1": "student", "b1": "base"}
    seeds = [costs.assign(model=costs["model"].map(names) + f"-{seed}") for seed in range(3)]
    result = typed(found(pd.concat(seeds, ignore_index=True), norms, family))
    assert result.models["model"].tolist() == ["teacher (x)", "student (x)", "base (x)", "people"]
    assert "means over seeds" in result.allocation["sentence"].iloc[0]
    alone = found(costs, norms, LINEAGE.query("model in ['t1', 's1', 'b1']"))
    assert result.pairs["r"].to_numpy() == pytest.approx(alone.pairs["r"].to_numpy())


def test_the_verdict_on_allocation_keeps_its_level():
    """1,000 students as near to their teacher as to their base: 2.5 % may count as supported.

    A call has 100 students with a teacher and a base each; none has to do with another.
    """
    rng, k, n = np.random.default_rng(1), 100, 80
    names = [f"{role}{j}" for role in "tbs" for j in range(k)]
    lineage = pd.DataFrame(dict(model=names, role=["teacher"] * k + ["baseline"] * k + ["student"] * k))
    for link, letter in (("teacher", "t"), ("base", "b")):
        lineage[link] = [None] * (2 * k) + [f"{letter}{j}" for j in range(k)]
    ends = []
    for run in range(10):
        teacher, base, own = rng.normal(size=(3, n, k))
        student = 0.5 * teacher + 0.5 * base + np.sqrt(0.5) * own
        matrix = np.hstack([teacher, base, student, rng.normal(size=(n, 1))])
        task = Task("t", matrix, np.full(matrix.shape, np.nan), np.full(matrix.shape[1], np.nan))
        prints = Fingerprints("s", (*names, "people"), (task,))
        nothing = Similarity(prints, np.array([]), np.array([]), pd.DataFrame(), np.empty((0, 0)))
        ends += [(row["low"], row["high"]) for row in allocation_rows(nothing, kin(lineage), 400, run)[0]]
    covered = sum(low <= 0 <= high for low, high in ends)
    supported = sum(verdict(low, high) == "supported" for low, high in ends)
    for hits, rate in ((covered, 0.95), (supported, 0.025)):
        low, high = proportion_interval(hits, 1_000, 0.99)
        assert low <= rate <= high


def test_columns_that_are_missing_are_named():
    costs, norms = study((0.5, 0.3))
    with pytest.raises(LookupError, match="no column 'price'"):
        geometry(join(costs, norms), LINEAGE, None, costs, cost="price")
    rows = join(costs, norms)
    without = geometry(Joined(rows.rows, rows.excluded, None), LINEAGE, **QUICK)
    assert without.pairs["partial"].isna().all()


@pytest.mark.parametrize("name", recorded.studies())
def test_every_recorded_study_has_a_geometry(name):
    one = recorded.load_study(name)
    joined = join(one.costs, one.norms)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = typed(
            geometry(joined, load_lineage(), one.reliability, one.costs, measure=one.measure, **QUICK)
        )
    k = joined.rows["model"].nunique() + 1
    assert len(result.pairs) == k * (k - 1) // 2
    assert len(result.studies) == 1
    known = result.allocation.dropna(subset=["low"])
    assert (known["low"] <= known["difference"]).all()
    assert (known["difference"] <= known["high"]).all()


def test_the_centre_of_the_chapter_by_another_path():
    one = recorded.load_study("pm-bench")
    joined = join(one.costs, one.norms)
    result = geometry(joined, load_lineage(), n_boot=200, n_perm=200)
    wide = np.log(one.costs.pivot(index="item", columns="model", values="reasoning_tokens").astype(float))
    r = wide.corr()
    shown = result.pairs[result.pairs["role_b"] != "norms"]
    assert [r.at[a, b] for a, b in zip(shown["a"], shown["b"], strict=True)] == pytest.approx(
        shown["r"].tolist()
    )
    students = result.students
    differences = [r.at[s, b] - r.at[s, t] for s, t, b in students[["student", "teacher", "base"]].to_numpy()]
    assert np.mean(differences) == pytest.approx(result.allocation["difference"].iloc[-1])
    assert result.studies["note"].tolist() == [""]
