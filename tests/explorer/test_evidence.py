from dataclasses import replace

import pytest
from tests.explorer.made_up import MODELS, hostile

from handan import explorer
from handan.costs import load_study
from handan.explorer.data import as_data
from handan.findings.alignment import alignment
from handan.lineage import OTHER_SETTINGS


def by_name(found):
    return {one.study.name: one for one in found}


def test_results_are_those_of_the_alignment_chapter(found):
    study = load_study("mip-math")
    expected = alignment(study.costs, study.norms, study.reliability, n_boot=50)
    got = by_name(found)["mip-math"].aligned
    assert got["r"].tolist() == expected["r"].tolist()
    assert got["boot_low"].tolist() == expected["boot_low"].tolist()


def test_a_teacher_and_a_student_of_its_own_come_first(found):
    starts = {name: (one.first, one.second) for name, one in by_name(found).items()}
    assert starts["pnas-r1"] == ("DeepSeek-R1", "")
    assert starts["mip-math"] == ("DeepSeek-R1", "DeepSeek-R1-Distill-Qwen-32B")
    assert starts["organism"] == ("teacher-carry-s0", "student-matched-carry-s0")
    # of two students it is the one that the lineage gives to the teacher
    assert starts["<u>study</u>"] == (MODELS[0], MODELS[2])


def test_of_the_organism_one_seed_is_shown_with_its_ceiling(found):
    shown = by_name(found)["organism"]
    assert {model.rsplit("-", 1)[1] for model in shown.aligned["model"]} == {"s0"}
    assert shown.aligned["ceiling"].notna().all()
    assert shown.unit == "tokens of the whole output"


def test_the_table_has_a_row_per_cell(found):
    table = explorer.table(found)
    assert len(table) == sum(len(one.aligned) for one in found)
    assert not table.duplicated(["study", "task", "model"]).any()
    row = table.set_index(["study", "model"]).loc[("mip-math", "Qwen2.5-32B-Instruct")]
    assert 0 < row["percent_cut"] < 100


def test_a_model_without_a_role_is_named():
    study = hostile()
    with pytest.raises(LookupError, match="no row for __proto__; add one"):
        explorer.evidence_of(replace(study, lineage=study.lineage.iloc[:2]), n_boot=10)


def test_a_student_whose_teacher_is_not_known_does_not_come_first_and_stops_nothing():
    study = hostile()
    teacher, *students = MODELS
    lineage = study.lineage.astype({"teacher": "string"})  # missing is NA, as in the packaged table
    found = explorer.evidence_of(replace(study, lineage=lineage), n_boot=10)
    assert (found.first, found.second) == (teacher, students[1])


def test_a_run_under_other_settings_can_be_looked_at_and_is_no_teacher():
    found = explorer.evidence("pm-bench", n_boot=10)
    roles = found.aligned.set_index("model")["role"].to_dict()
    runs = {model for model in roles if model.startswith("QwQ-32B@")}
    assert {roles[model] for model in runs} == {OTHER_SETTINGS}
    assert runs.isdisjoint({found.first, found.second})
    assert roles["QwQ-32B"] == "teacher"
    looks = as_data([found])["looks"]
    assert set(roles.values()) <= set(looks)
    assert len({tuple(looks[role]) for role in roles.values()}) == len(set(roles.values()))


def test_an_unknown_study_is_named():
    with pytest.raises(LookupError, match="no study 'gsm'"):
        explorer.evidence("gsm")
