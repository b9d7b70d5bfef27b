"""A file that a page carries within itself: it can be saved with the page read from anywhere."""

from __future__ import annotations

import base64
from html import escape

from handan.book.show import put

_KINDS = {".json": "application/json", ".csv": "text/csv"}


def download(name: str, content: str, label: str) -> None:
    """Show a link that saves a text as a file.

    Parameters
    ----------
    name : str
        Name of the file; ends in ``.json`` or ``.csv``.
    content : str
        What it holds.
    label : str
        Text of the link. Escaped.

    Raises
    ------
    ValueError
        When the ending is another.
    """
    ending = name[name.rfind(".") :]
    if ending not in _KINDS:
        raise ValueError(f"cannot offer {name!r}; use {' or '.join(_KINDS)}")
    data = base64.b64encode(content.encode()).decode()
    html = (
        f'<p><a download="{escape(name)}" href="data:{_KINDS[ending]};base64,{data}">{escape(label)}</a></p>'
    )
    put({"text/html": html, "text/plain": f"[{label}: {name}, {len(content):,} characters]"})
