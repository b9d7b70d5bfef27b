import base64
import re
import struct

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan.book import show


@pytest.fixture
def shown(monkeypatch):
    """Everything displayed, as bundles by media type."""
    bundles = []
    monkeypatch.setattr(show, "put", bundles.append)
    monkeypatch.setattr(show, "_numbers", {"Figure": {}, "Table": {}})
    return bundles


def drawn():
    fig, ax = plt.subplots(figsize=(4, 3))
    ax.plot([1, 2])
    return fig


def test_a_figure_is_escaped_numbered_and_closed(shown):
    fig = drawn()
    show.figure(fig, "r = 0.6 <b>", 'a "line"', name="one")
    html = shown[0]["text/html"]
    assert "<strong>Figure 1.</strong> r\u00a0=\u00a00.6 &lt;b&gt;" in html
    assert 'alt="a &quot;line&quot;"' in html
    assert 'id="one"' in html
    assert shown[0]["text/plain"] == "[Figure 1. r\u00a0=\u00a00.6 <b>]"
    assert not plt.fignum_exists(fig.number)


def test_a_figure_has_twice_the_pixels_that_it_is_shown_with_and_the_same_bytes_each_time(shown):
    show.figure(drawn(), "c", "a", name="x")
    show.figure(drawn(), "c", "a", name="x")
    html = shown[0]["text/html"]
    png = base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1))
    assert struct.unpack(">I", png[16:20])[0] // 2 == int(re.search(r'width="(\d+)"', html).group(1))
    assert shown[0] == shown[1]


@pytest.mark.parametrize(("caption", "alt"), [("", "a"), ("c", " ")])
def test_a_figure_must_say_what_it_shows(shown, caption, alt):
    with pytest.raises(ValueError, match="is empty"):
        show.figure(drawn(), caption, alt)


def test_numbers_stay_when_a_cell_runs_again(shown):
    for name in ("a", "b", "a"):
        show.figure(drawn(), "c", "a", name=name)
    show.table(pd.DataFrame({"x": [1]}), "t", name="t")
    assert [re.search(r"Figure \d", bundle["text/plain"]).group() for bundle in shown[:3]] == [
        "Figure 1",
        "Figure 2",
        "Figure 1",
    ]
    assert (show.ref("b"), show.ref("t")) == ("Figure 2", "Table 1")
    with pytest.raises(KeyError, match="a, b and t"):
        show.ref("nowhere")


def test_a_sentence_formats_numbers_and_disarms_names(shown):
    show.say(
        "**{model}** {r:.2f} {p:p} {q:p} {n} {names} {lost:.2f} {f}",
        model="a_b*c* <i>",
        r=np.float64(-0.5),
        p=0.034,
        q=1e-6,
        n=np.int64(12408),
        names=["x_1", "y"],
        lost=float("nan"),
        f=0.125,
    )
    assert shown[0]["text/plain"] == (
        "**a_b*c* <i>** −0.50 p = .034 p < .001 12,408 x_1 and y not available 0.12"
    )
    marked = shown[0]["text/markdown"]
    assert r"a\_b\*c\* &lt;i\>" in marked
    assert "*p* < .001" in marked
    assert r"x\_1 and y" in marked


def test_a_sentence_complains_of_what_is_missing_or_left_over(shown):
    with pytest.raises(KeyError, match="model"):
        show.say("{model}")
    with pytest.raises(ValueError, match="modle"):
        show.say("text", modle="x")


def test_outside_a_notebook_it_prints(capsys):
    show.say("r is {r:.1f}", r=0.25)
    assert capsys.readouterr().out == "r is 0.2\n"
