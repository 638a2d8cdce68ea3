"""docs/host.md has every command of the host's shell, and no other."""

import re
from pathlib import Path

import pytest

from server.admin.acts import ACTS
from server.admin.words import parse

TEXT = (Path(__file__).parents[2] / "docs" / "host.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `chat-server (.+?)` \|", TEXT, re.MULTILINE)


def test_every_command_is_there() -> None:
    """Once each."""
    groups = {command for command, act in ACTS if act}
    named = [tuple(words.split()[:2]) if words.split()[0] in groups else (words.split()[0], "") for words in COMMANDS]
    assert sorted(named) == sorted(ACTS)


@pytest.mark.parametrize("words", COMMANDS)
def test_what_stands_there_can_be_typed(words: str) -> None:
    """Also what may be left out, and what one of several stands for."""
    filled = words.replace("\\|", "|").replace("[", " ").replace("]", " ").replace("...", "")
    examples = {"ROLE": "admin", "ID": "7", "N": "5", "keep-days=N": "keep-days=5", "keep-count=N": "keep-count=5"}
    typed = [examples.get(word, word.split("|")[0]) for word in filled.split() if word != ":PORT"]
    parse(typed)
