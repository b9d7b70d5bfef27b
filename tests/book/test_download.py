import base64

import pytest

from handan.book import download as module
from handan.book.download import download


def test_a_file_travels_within_the_page(monkeypatch):
    shown = []
    monkeypatch.setattr(module, "put", shown.append)
    download("claims.json", '{"r": "–"}', "the <verdicts>")
    html = shown[0]["text/html"]
    assert 'download="claims.json"' in html
    assert "the &lt;verdicts&gt;" in html
    data = html.split("base64,")[1].split('"')[0]
    assert base64.b64decode(data).decode() == '{"r": "–"}'


def test_other_kinds_of_files_are_refused():
    with pytest.raises(ValueError, match=r"use \.json or \.csv"):
        download("page.html", "", "x")
