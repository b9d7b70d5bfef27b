import pandas as pd

from handan.findings.claims import COLUMNS, MORE, SILENT, Claims, ledger
from handan.report.summary import gaps, lines, paragraph, verdict_table

ENTRIES = {entry.name: entry for entry in ledger()}


def found(verdicts, silent=()):
    rows = [
        dict.fromkeys([*COLUMNS, *MORE], 0.5)
        | dict(claim=claim, study=study, title=ENTRIES[claim].title, verdict=verdict, on_edge=edge)
        for claim, study, verdict, edge in verdicts
    ]
    return Claims(pd.DataFrame(rows, columns=[*COLUMNS, *MORE]), pd.DataFrame(list(silent), columns=SILENT))


def test_every_number_of_the_paragraph_follows_the_verdicts():
    given = [("collapse", "a", "supported", True), ("collapse", "b", "not supported", False)]
    text = paragraph(found(given), ["a", "b"])
    assert text.startswith(f"2 studies (a and b) are held against the {len(ENTRIES)} claims")
    assert (
        "The data speak to 1 of them, in 2 verdicts: 1 supported, 1 not supported and 0 cannot tell." in text
    )
    assert "Another seed could change 1 of these." in text
    assert f"{len(ENTRIES) - 1} claims cannot be judged" in text
    more = paragraph(found([*given, ("form", "a", "cannot tell", False)]), ["a", "b"])
    assert "2 of them, in 3 verdicts: 1 supported, 1 not supported and 1 cannot tell." in more


def test_data_that_say_nothing_are_said_to_say_nothing():
    text = paragraph(found([]), ["a"])
    assert "None of the claims can be judged" in text
    assert lines(found([])) == []


def test_claims_stand_under_their_verdicts():
    given = [("collapse", "a", "supported", False), ("collapse", "b", "supported", False), ("form", "a", "cannot tell", False)]  # fmt: skip
    title = ENTRIES["collapse"].title
    assert lines(found(given)) == [
        f"Supported: {title} (a and b).",
        f"Cannot tell: {ENTRIES['form'].title} (a).",
    ]


def test_one_study_need_not_be_named():
    one = found([("collapse", "a", "supported", False)])
    assert lines(one) == [f"Supported: {ENTRIES['collapse'].title}."]


def test_a_verdict_has_a_mark_besides_its_words():
    table = verdict_table(found([("form", "a", "not supported", False)]))
    assert table["verdict"].tolist() == ["✕ not supported"]


def test_gaps_are_listed_by_claim():
    silent = [dict(claim="form", study=study, reason="it needs more") for study in "ab"]
    assert gaps(found([], silent)).to_dict("records") == [
        dict(claim=ENTRIES["form"].title, studies="a and b", n=2, reason="it needs more")
    ]
