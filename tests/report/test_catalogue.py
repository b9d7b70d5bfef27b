from hypothesis import given
from hypothesis import strategies as st

from handan.report.catalogue import OTHER, parts, placed

NAMES = st.lists(
    st.sampled_from(
        ["alignment", "means", "collapse", "transfer_pairs", "inflation", "zebra", "my_table", ""]
    ),
    unique=True,
)


@given(NAMES)
def test_every_table_stands_in_exactly_one_section(names):
    found = [name for _, mine in placed(names) for name in mine]
    assert sorted(found) == sorted(names)


def test_what_no_section_knows_stands_in_the_appendix():
    sections = dict((part.title, names) for part, names in placed(["zebra", "alignment"]))
    assert sections[OTHER.title] == ["zebra"]
    assert sections["Alignment"] == ["alignment"]


def test_known_tables_come_first_and_others_of_their_kind_follow():
    part, names = placed(["collapse_new", "collapse_pairs", "collapse"])[1]
    assert part is parts()[1]
    assert names == ["collapse", "collapse_pairs", "collapse_new"]
