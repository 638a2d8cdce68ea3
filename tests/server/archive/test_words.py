"""What counts as a word: the same for all ways to write the same."""

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.archive.words import LONGEST, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", "hello world"),
        ("don't foo_bar a.b@c.de", "don t foo bar a b c de"),
        ("Crème BRÛLÉE, Łódź; Straße, Smørrebrød, Œuvre", "creme brulee lodz strasse smorrebrod oeuvre"),
        ("ISTANBUL İstanbul ısı", "istanbul istanbul isi"),
        ("ещё ЁЛКА", "еще елка"),
        ("Ελλάδα", "ελλαδα"),
        ("كِتَابٌ كتـــاب", "كتاب كتاب"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी में", "हिन्दी में"),  # its vowels are marks, and no accents
        ("今天天气很好。python入門", "今 天 天 气 很 好 python 入 門"),
        ("ｶﾞｲﾄﾞ ガイド", "ガ イ ド ガ イ ド"),
        ("한국어", "한 국 어"),
        ("ไทย", "ไ ท ย"),
        ("ＷＩＤＥ ﬁne x² №5", "wide fine x2 no5"),
        ("👍 🎉 …", ""),
    ],
)
def test_words_are_what_a_reader_takes_for_the_same(text: str, expected: str) -> None:
    """Case, accents, width and composition make no difference; where no spaces are written, characters are words."""
    assert words(text) == expected.split()


def test_data_does_not_make_endless_words() -> None:
    """Each word is cut, in ASCII and elsewhere."""
    assert words("x" * 1000 + " é" + "é" * 1000) == ["x" * LONGEST, "e" * LONGEST]


@given(st.text())
def test_words_made_of_words_are_the_same(text: str) -> None:
    """What was normalised once stays; no word is empty, or holds what parts words."""
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(word and len(word.split()) == 1 for word in found)


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_how_a_text_is_composed_makes_no_difference(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    """Two devices may write the same character in two ways."""
    assert words(unicodedata.normalize(form, text)) == words(text)
