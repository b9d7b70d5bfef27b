from handan.explorer.texts import problems, reason


def test_a_code_becomes_a_problem():
    (text,) = problems("binary-addition", ["0111+0001"])
    assert all(part in text for part in ("0111", "0001", "Answer:"))


def test_a_task_that_the_bank_lacks_has_no_problems():
    assert problems("gsm8k", ["test/0"]) is None


def test_items_of_another_collection_have_no_problems():
    assert problems("syllogisms", ["AE1", "0"]) is None


def test_a_task_with_norms_only_has_no_problems():
    assert problems("arc", ["any"]) is None


def test_each_study_has_a_reason():
    assert "figure" in reason("pnas-r1")
    assert "GPQA" in reason("gpqa-minutes")
    assert "not its problems" in reason("somebody's own")
