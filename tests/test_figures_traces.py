import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from handan import figures_traces

mpl.use("Agg")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_legend_of_lengths_hides_neither_a_trace_nor_the_limit():
    costs = pd.DataFrame({"log_cost": np.log([10, 11, 40, 90, 256]), "censored": [False] * 4 + [True]})
    fig = figures_traces.lengths(costs, 256)
    fig.canvas.draw()
    axes = fig.axes[0]
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["stopped by itself", "cut at the limit"]
    assert legend.get_window_extent().x0 >= axes.get_window_extent().x1
    assert any(set(line.get_xdata()) == {np.log(256)} for line in axes.lines)
    assert sum(patch.get_height() for patch in axes.patches) == len(costs)
