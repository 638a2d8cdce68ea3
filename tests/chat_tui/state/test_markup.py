"""Markdown as far as a chat needs it: what becomes of a text, what stays as typed, and that no text takes long."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_tui.state.markup import Block, Kind, Look, Marked, addresses, plain, read


def marks(marked: Marked) -> list[tuple[str, str]]:
    """Return what is marked, and as what."""
    return [(marked.text[mark.start : mark.end], mark.look.name) for mark in marked.marks]


@pytest.mark.parametrize(
    ("text", "shown", "marked"),
    [
        ("good morning, everyone", "good morning, everyone", []),
        (
            "**bold** and *it* and `code`",
            "bold and it and code",
            [("bold", "BOLD"), ("it", "ITALIC"), ("code", "CODE")],
        ),
        ("__bold__ and _it_.", "bold and it.", [("bold", "BOLD"), ("it", "ITALIC")]),
        ("***both***", "both", [("both", "BOLD"), ("both", "ITALIC")]),
        ("**a *b* c**", "a b c", [("a b c", "BOLD"), ("b", "ITALIC")]),
        ("(*why?*)", "(why?)", [("why?", "ITALIC")]),
        ("これは**太字**です", "これは太字です", [("太字", "BOLD")]),
        ("`*not this*` ``a ` b``", "*not this* a ` b", [("*not this*", "CODE"), ("a ` b", "CODE")]),
        ("@bob, ask @李雷.", "@bob, ask @李雷.", [("@bob", "NAME"), ("@李雷", "NAME")]),
        ("in #dev-ops.", "in #dev-ops.", [("#dev-ops", "ROOM")]),
        ("**@bob**", "@bob", [("@bob", "BOLD"), ("@bob", "NAME")]),
        (
            "*see https://x.org/a*",
            "see https://x.org/a",
            [("see https://x.org/a", "ITALIC"), ("https://x.org/a", "LINK")],
        ),
    ],
)
def test_what_is_marked(text: str, shown: str, marked: list[tuple[str, str]]) -> None:
    """The signs are gone, what they meant remains."""
    result = read(text)
    assert result.text == shown
    assert sorted(marks(result)) == sorted(marked)


@pytest.mark.parametrize(
    "text",
    [
        "snake_case_name and __init",
        "2*3*4 and 2 ** 3 ** 4",
        "rm *.py *.txt",
        "f(*args, **kwargs)",
        "*",
        "****",
        "** no **",
        "*no*pe",
        "-_- and -_- ^_^ *_* >_< ¯\\_(ツ)_/¯",
        "**never closed, *nor this",
        "one ` tick",
        "```never closed\ncode",
        "```\n```",
        "[no link] and (https:// and [](https://x.org)",
        "alice@example.org, #12, a#b, &#x27;",
        "# no heading",
        ">no quote",
        "-no item",
        "1.5 and 2) and 3.",
        "C:\\*new*",
    ],
)
def test_what_is_not_quite_markup_stays_as_typed(text: str) -> None:
    """Character by character; only addresses may be marked."""
    assert read(text).text == text
    assert not [mark for mark in read(text).marks if mark.look is not Look.LINK]


@pytest.mark.parametrize(
    ("text", "shown", "target"),
    [
        ("[docs](https://x.org/a)", "docs (x.org/a)", "https://x.org/a"),
        ("[docs](http://x.org/)", "docs (http://x.org)", "http://x.org/"),
        ("[docs](https://x.org/a_(b))", "docs (x.org/a_(b))", "https://x.org/a_(b)"),
        ("[x.org](https://x.org/a)", "x.org (x.org/a)", "https://x.org/a"),
        ("[https://x.org/a](https://x.org/a)", "https://x.org/a", "https://x.org/a"),
        ("[docs](https://bücher.example)", "docs (xn--bcher-kva.example)", "https://b%C3%BCcher.example"),
        ("[docs](https://x.org/" + "a" * 80 + ")", "docs (x.org/" + "a" * 46 + "…)", "https://x.org/" + "a" * 80),
        ("[that](chat://lab:7373/dev/42)", "that (chat://lab:7373/dev/42)", "chat://lab:7373/dev/42"),
    ],
)
def test_a_link_says_where_it_leads(text: str, shown: str, target: str) -> None:
    """After its own words, unless these are its address."""
    result = read(text)
    assert result.text == shown
    assert {mark.target for mark in result.marks} == {target}


@pytest.mark.parametrize(
    "text",
    [
        "[https://bank.example](https://evil.example)",
        "[bank.example](https://evil.example/bank.example)",
        "[www.bank.example](https://evil.example)",
        "[bank.example/login](https://bank.example.evil.example)",
        "[log in](https://bank.example@evil.example)",
        "[log in](https://evil.example\\@bank.example)",
        "[run](javascript://x)",
    ],
)
def test_a_link_that_misleads_stays_as_typed(text: str) -> None:
    """Its words name another place than it leads to, or nobody can say where it leads."""
    result = read(text)
    assert result.text == text
    for mark in result.marks:
        assert mark.target.startswith(text[mark.start : mark.end].split("\\")[0])


def test_blocks() -> None:
    """Quotes, lists, code: each knows its lines."""
    text = "look:\n> so\n> be it\n- one\n  * **two**\n10. ten\n```Py\nif *a*:\n\n    - b\n```\ndone\nnow"
    result = read(text)
    parts = [(result.text[block.start : block.end], block.kind, block.hang, block.language) for block in result.blocks]
    assert parts == [
        ("look:", Kind.TEXT, 0, ""),
        ("so\nbe it", Kind.QUOTE, 0, ""),
        ("• one", Kind.ITEM, 2, ""),
        ("  • two", Kind.ITEM, 4, ""),
        ("10. ten", Kind.ITEM, 4, ""),
        ("if *a*:\n\n    - b", Kind.CODE, 0, "py"),
        ("done\nnow", Kind.TEXT, 0, ""),
    ]
    assert marks(result) == [("two", "BOLD")]
    assert read("> a\n- b", blocks=False).text == "> a\n- b"


@pytest.mark.parametrize(
    ("text", "code", "language"),
    [
        ("```\nx = 1\n```", "x = 1", ""),
        ("```x = 1\ny = 2```", "x = 1\ny = 2", ""),
        ("```c++\nint x;```", "int x;", "c++"),
        ("```word\n```", "word", ""),
    ],
)
def test_code_as_people_fence_it(text: str, code: str, language: str) -> None:
    """With or without a language, the fences on lines of their own or not."""
    assert read(text) == Marked(code, [], [Block(0, len(code), Kind.CODE, language=language)])


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://ci.lab/77.", ["https://ci.lab/77"]),
        ("(https://x.org/a_(b)) and http://y.org!", ["https://x.org/a_(b)", "http://y.org"]),
        ("https:// and javascript://x", []),
        ("https://x.org/ü", ["https://x.org/%C3%BC"]),
        ("join chat://lab:7373/dev/42, please", ["chat://lab:7373/dev/42"]),
    ],
)
def test_addresses(text: str, urls: list[str]) -> None:
    """Without the punctuation around them, in ASCII; the same in Markdown."""
    assert [mark.target for mark in addresses(text)] == urls
    assert [mark.target for mark in read(text).marks] == urls


def test_plain_is_one_line_without_signs() -> None:
    """For quotes and what a search found."""
    assert plain("**so**\n\n> it\n```py\ngoes on\n```") == "so it goes on"
    assert len(plain("word " * 4000)) <= 300


@pytest.mark.parametrize("scrap", ["*a* ", "> *a*\n", "- a\n", "#a\nb\n"])
def test_what_follows_very_much_markup_is_shown_as_typed(scrap: str) -> None:
    """All of it, and blocks are the text there, too."""
    text, marked, blocks = read(scrap * 3000)
    assert 0 < len(marked) + len(blocks) <= 2001
    assert text.endswith((scrap * 1900).rstrip("\n") + "\n" * scrap.endswith("\n"))
    assert "\n".join(text[block.start : block.end] for block in blocks) == text


_scraps = st.sampled_from(
    [*"*_`\n aB2[)>漢(", "**", "__", "```", "](https://", "> ", "- ", "1. ", "@bob", "#dev", "https://x.org", "e\u0301"]
)


@given(st.lists(_scraps, max_size=40).map("".join))
def test_blocks_are_the_text_and_marks_lie_in_it(text: str) -> None:
    """And nothing but signs was taken away: all else stands there in its order."""
    result = read(text)
    assert "\n".join(result.text[block.start : block.end] for block in result.blocks) == result.text
    assert all(0 <= mark.start < mark.end <= len(result.text) for mark in result.marks)
    letters = [character for character in result.text if character.isalnum()]
    if not any(mark.look is Look.WHERE for mark in result.marks):
        typed = (character for character in text if character.isalnum())
        assert all(letter in typed for letter in letters)


@pytest.mark.parametrize(
    "scrap",
    [
        *"*[`_@",
        "* a",
        "*a ",
        "_a *b ",
        "**a __b ",
        "`a``b",
        "[a](",
        "[a](https://",
        "[a](https://x(",
        "https://x.org/))",
        "#a@",
        "https://",
        "https://x)",
        "```x\n",
        "> ",
        "- ",
        "a* ",
        "*a_",
        "***a ",
    ],
)
def test_no_text_takes_long(scrap: str) -> None:
    """Four times as much of anything takes not much more than four times as long."""

    def seconds(length: int) -> float:
        text = (scrap * length)[:length]
        times = []
        for _ in range(3):
            start = process_time()
            read(text)
            times.append(process_time() - start)
        return min(times)

    assert seconds(16384) < 10 * max(seconds(4096), 0.002)
