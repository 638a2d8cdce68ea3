"""Colours in code. Loaded, and its languages with it, only when the first code in a known language is drawn."""

from functools import lru_cache
from typing import Final, Literal, cast, get_args

from textual.highlight import HighlightTheme, highlight

Tone = Literal["keyword", "string", "number", "comment"]
"""What a part of code is, as far as it has a colour of its own."""

_LANGUAGES = """
bash c c# c++ clojure console cpp cs csharp css diff docker dockerfile elixir erlang go golang haskell hs html ini java
javascript js json jsx kotlin lua make makefile nginx nix perl php powershell ps1 py python r rb rs ruby rust scala scss
sh shell sql swift toml ts tsx typescript xml yaml yml zig zsh
"""
LANGUAGES: Final = frozenset(_LANGUAGES.split())
"""What people write in, as they call it. Others are not looked for: nobody knows what a text can make any lexer do."""
MOST: Final = 4096
"""Characters of code that are coloured, at some 2 µs each; more is shown plain."""
_TONES = frozenset(get_args(Tone))


class _Tones(HighlightTheme):
    """Names tones instead of styles. A kind of token that is not listed has the tone of the wider kind."""

    STYLES = {
        ("Keyword",): "keyword",
        ("Operator", "Word"): "keyword",
        ("Name", "Tag"): "keyword",
        ("Name", "Function"): "keyword",
        ("Name", "Class"): "keyword",
        ("Generic", "Deleted"): "number",
        ("Generic", "Inserted"): "string",
        ("Generic", "Subheading"): "comment",
        ("Generic", "Prompt"): "comment",
        ("Literal", "String"): "string",
        ("Literal", "Number"): "number",
        ("Keyword", "Constant"): "number",
        ("Comment",): "comment",
    }


@lru_cache(maxsize=16)
def tones(code: str, language: str) -> list[tuple[int, int, Tone]]:
    """Return the parts of code that have a tone, ascending: (start, end, tone)."""
    if language not in LANGUAGES or len(code) > MOST:
        return []
    spans = highlight(code, language=language, theme=_Tones).spans
    return [(span.start, span.end, cast("Tone", span.style)) for span in spans if span.style in _TONES]
