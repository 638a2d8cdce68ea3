"""Colours in code."""

import subprocess
import sys

import pytest

from chat_tui.widgets.log_code import LANGUAGES, MOST, tones


def test_words_texts_numbers_and_comments_have_tones() -> None:
    """Everything else is plain."""
    code = 'def due(day):  # when\n    return day + 12 > "x"'
    found = {(code[start:end].strip('"'), tone) for start, end, tone in tones(code, "python") if end - start > 1}
    assert {("def", "keyword"), ("return", "keyword"), ("12", "number"), ("# when", "comment")} <= found
    assert any(code[start] == '"' and tone == "string" for start, _, tone in tones(code, "python"))
    assert not any("day" in word for word, _ in found)


_SAMPLES = {"console": "$ ls", "diff": "-x", "html": "<b>", "xml": "<b>", "php": "<?php 'a'"}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_is_one(language: str) -> None:
    """A name that means nothing would be shown plain, and nobody would know why."""
    assert tones(_SAMPLES.get(language, 'x = 1 /* "a" */ # b { -- c'), language)


def test_what_is_not_coloured() -> None:
    """Languages that nobody here knows, and very long code."""
    assert tones("x = 1", "brainfuck") == []
    assert tones("x = 1\n" * (MOST // 6 + 1), "python") == []


def test_languages_are_loaded_only_for_code() -> None:
    """The log alone starts without them."""
    program = """
import sys
import chat_tui.widgets.log
print({"pygments.lexers", "chat_tui.widgets.log_code"} & set(sys.modules))
"""
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "set()"
