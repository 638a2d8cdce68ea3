"""docs/limits.md tells the truth: every limit with its unit, default and range, and what a client is told."""

import re
from dataclasses import fields
from pathlib import Path

from server.chat.limits import Limits
from server.protocol.errors import Code

TEXT = (Path(__file__).parents[2] / "docs" / "limits.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_code() -> None:
    """Row by row."""
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (\S+) \| (\S+) to (\S+) \|", TEXT, re.MULTILINE)
    expected = [
        (limit.name, *(str(value) for value in (meta["unit"], limit.default, meta["least"], meta["most"])))
        for limit, meta in ((limit, limit.metadata) for limit in fields(Limits))
    ]
    assert rows == expected


def test_what_a_client_is_told_of_each() -> None:
    """Every limit is in the second table, and the codes there exist."""
    table = TEXT.split("## What a client is told")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+) \|$", table, re.MULTILINE)
    told = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(told) == sorted(limit.name for limit in fields(Limits))
    codes = {code for _, answer in rows for code in re.findall(r"^`(\w+)`", answer)}
    assert codes <= {code.value for code in Code}
    assert len(codes) == 7
