import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handan.traces import EngineError
from handan.traces.endpoint import QUOTED, Endpoint, Secret, quote

KEY = "sk-0123456789abcdef"


@pytest.mark.parametrize(
    ("typed", "url", "host", "loopback"),
    [
        (
            "https://api.example.org/v1",
            "https://api.example.org/v1/chat/completions",
            "api.example.org",
            False,
        ),
        (
            "https://api.example.org/v1/",
            "https://api.example.org/v1/chat/completions",
            "api.example.org",
            False,
        ),
        (" http://127.0.0.1:8000/v1 ", "http://127.0.0.1:8000/v1/chat/completions", "127.0.0.1:8000", True),
        ("http://localhost/v1/chat/completions", "http://localhost/v1/chat/completions", "localhost", True),
        ("http://[::1]:80/v1", "http://[::1]:80/v1/chat/completions", "[::1]:80", True),
        (
            "https://localhost.evil.org",
            "https://localhost.evil.org/chat/completions",
            "localhost.evil.org",
            False,
        ),
    ],
)
def test_addresses_are_read(typed, url, host, loopback):
    found = Endpoint.parse(typed)
    assert (found.url, found.host, found.is_loopback) == (url, host, loopback)
    assert found.encrypted is typed.strip().startswith("https")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "api.example.org/v1",
        "ftp://example.org",
        "https:///v1",
        "https://user:hunter2@example.org/v1",
        "https://hunter2@example.org/v1",
        "https://example.org/v1?api_key=hunter2",
        "https://example.org/v1#hunter2",
        "https://example.org:hunter2/v1",
        "https://[hunter2/v1",
    ],
)
def test_addresses_that_could_give_a_secret_away_are_refused(typed):
    with pytest.raises(EngineError) as raised:
        Endpoint.parse(typed)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_server_on_this_machine_needs_no_key(monkeypatch):
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert not Endpoint.parse("http://localhost:1/v1").secret("SOME_KEY")
    assert not Endpoint.parse("https://example.org/v1").secret(None)
    monkeypatch.setenv("SOME_KEY", f" {KEY}\n")
    found = Endpoint.parse("http://localhost:1/v1").secret("SOME_KEY")
    assert found.headers() == {"Authorization": f"Bearer {KEY}"}


def test_a_key_shows_itself_nowhere():
    secret = Secret(KEY)
    assert KEY not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError, match="never written down"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.clean({KEY: [f"a {KEY} b", 3, None, {"x": KEY}]}) == {
        "[key]": ["a [key] b", 3, None, {"x": "[key]"}]
    }
    assert Secret("EMPTY").hide("an EMPTY set") == "an EMPTY set"


@settings(deadline=None)
@given(st.text(max_size=400), st.integers(0, 400))
def test_quotes_are_short_and_show_neither_key_nor_control_characters(text, at):
    said = quote(text[:at] + KEY + text[at:], Secret(KEY))
    assert len(said) <= QUOTED
    assert said.isprintable()
    assert KEY[:8] not in said


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=30))
def test_cleaned_text_can_be_stored(text):
    clean = Secret().clean(text)
    clean.encode()
    if not any(0xD800 <= ord(one) < 0xE000 for one in text):
        assert clean == text


def test_halves_of_a_character_are_joined_or_replaced():
    assert Secret().clean("\ud83d\udc31") == "\N{CAT FACE}"
    assert Secret().clean("\udc31x") == "\ufffdx"
