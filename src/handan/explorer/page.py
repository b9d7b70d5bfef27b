"""The explorer's place on a page: its data as JSON, and what is seen where no script runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from handan import address
from handan.book.show import put
from handan.explorer.data import as_data
from handan.explorer.evidence import Evidence
from handan.explorer.samples import Samples

PAGE = "notebooks/explorer"
# A script element ends at the first "</script", and "<!--" changes how the rest is read; in JSON
# these characters can stand in texts only, where an escape means the same.
_UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def show(found: Sequence[Evidence], samples: Samples | None = None) -> None:
    """Put the explorer on the page; where its script is not, a link to the published page is seen.

    Parameters
    ----------
    found : sequence of Evidence
        In the order in which the studies are offered.
    samples : Samples, optional
        Traces to show beside the items.
    """
    where = address.book(PAGE)
    put(
        {
            "text/html": html(as_data(found, samples)),
            "text/plain": f"[The explorer runs on the book's page: {where}]",
        }
    )


def html(data: Mapping[str, Any]) -> str:
    """Write the explorer's HTML.

    Parameters
    ----------
    data : mapping
        See `handan.explorer.data.as_data`.

    Raises
    ------
    ValueError
        When a number is not finite.
    """
    where = escape(address.book(PAGE))
    # The script replaces the paragraph. Maths is not typeset inside: names are to be shown as they are.
    return (
        '<div class="handan-explorer mathjax_ignore tex2jax_ignore" id="explorer">'
        f'<script type="application/json">{as_json(data)}</script>'
        "<p>Here the book's page has a plot to play with. It needs the page's scripts, which are not at work "
        f'here: <a href="{where}">open the published page</a>. '
        "The figure and the table below show the same results.</p></div>"
    )


def as_json(data: Mapping[str, Any]) -> str:
    """Write data as JSON that can stand in a script element, whatever its texts hold.

    Raises
    ------
    ValueError
        When a number is not finite.
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE)
