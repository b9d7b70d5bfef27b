import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from handan.norms import load_bank
from handan.norms.cardinal_directions import DIRECTIONS, accepted
from handan.organism.directions import work

TASK = "cardinal-directions"
BACK = {signs: name for name, signs in DIRECTIONS.items()}
chains = st.lists(st.sampled_from(sorted(DIRECTIONS)), min_size=1, max_size=5)


def test_chains_of_two_agree_with_the_bank_on_all_64_items():
    items = load_bank([TASK])["item"].tolist()
    assert len(items) == 64
    assert [work(TASK, item).answers for item in items] == [accepted(item) for item in items]


@budget(deadline=None, max_examples=200)
@given(chains, st.data())
def test_any_choice_of_distances_leads_to_an_accepted_answer(names, data):
    """Walk the chain with random distances: wherever that ends, the way back is among the answers."""
    signs = [DIRECTIONS[name] for name in names]
    far = st.lists(st.integers(1, 9), min_size=len(names), max_size=len(names))
    east, north = (
        sum(sign[axis] * steps for sign, steps in zip(signs, data.draw(far), strict=True)) for axis in (0, 1)
    )
    back = tuple((place < 0) - (place > 0) for place in (east, north))
    answers = work(TASK, "/".join(names)).answers
    assert back == (0, 0) or BACK[back] in answers


@budget(deadline=None, max_examples=200)
@given(chains)
def test_answers_are_no_more_than_distances_allow(names):
    """An axis without opposite signs has one way back; with them, all three."""
    done = work(TASK, "/".join(names))
    ways = [{-DIRECTIONS[name][axis] for name in names} - {0} for axis in (0, 1)]
    allowed = [{-1, 0, 1} if len(way) == 2 else way or {0} for way in ways]
    expected = {BACK[x, y] for x in allowed[0] for y in allowed[1] if (x, y) != (0, 0)}
    assert set(done.answers) == expected
    assert len(done.answers) == len(expected)


@budget(deadline=None, max_examples=200)
@given(chains)
def test_what_is_written_down_says_what_happens_on_each_axis(names):
    done = work(TASK, "/".join(names))
    letters = {1: "+", 0: "0", -1: "-"}
    opened = 0
    for axis, line in enumerate(done.full()):
        signs = [DIRECTIONS[name][axis] for name in names]
        assert line[:2] == "xy"[axis] + ":"
        assert line[2:].partition("=")[0] == "".join(letters[sign] for sign in signs)
        undecided = {1, -1} <= set(signs)
        opened += undecided
        assert line[-1] == ("0" if undecided else letters[next((sign for sign in signs if sign), 0)])
    shortened = [f"{line[:2]}{line[2:-2].replace('0', '')}{line[-2:]}" for line in done.full()]
    assert [line for line in done.brief() if line != "open"] == [
        line for line in shortened if ":=" not in line
    ]
    assert done.brief().count("open") == opened
    moves = sum(abs(DIRECTIONS[name][axis]) for name in names for axis in (0, 1))
    assert done.steps == moves + opened


@pytest.mark.parametrize("item", ["", "up/north", "north/", "north-north", "North/east"])
def test_an_unknown_direction_is_named(item):
    with pytest.raises(ValueError, match="is no direction"):
        work(TASK, item)
