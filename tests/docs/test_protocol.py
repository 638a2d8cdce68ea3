"""docs/protocol.md tells the truth: every frame, every field's frame, every error code and every limit is in it."""

import re
from pathlib import Path

import msgspec

from server.chat.crowd import LEFT
from server.chat.limits import DEFAULTS
from server.protocol import frames, limits
from server.protocol.codec import decode_client, decode_server
from server.protocol.errors import FINAL, Code

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_frame_has_its_heading() -> None:
    """And no frame is described that does not exist."""
    types = {kind.__struct_config__.tag for kind in (*frames.ClientFrame.__args__, *frames.ServerFrame.__args__)}
    assert set(re.findall(r"^### (\w+)$", TEXT, re.MULTILINE)) == types


def test_every_field_is_named() -> None:
    """Each field of each frame stands in that frame's part, but `ref`, which is said once for all."""
    parts: dict[str, str] = {}
    for tag, part in re.findall(r"^### (\w+)\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL):
        parts[tag] = parts.get(tag, "") + part
    for kind in (*frames.ClientFrame.__args__, *frames.ServerFrame.__args__):
        tag = str(kind.__struct_config__.tag)
        for field in msgspec.structs.fields(kind):
            if field.name != "ref":
                assert re.search(rf'[`"]{field.name}\b', parts[tag] + parts.get("hello", "") * (tag == "join")), (
                    f"{tag}.{field.name}"
                )


def test_every_error_code_is_explained() -> None:
    """In its table: those that end the connection apart from the others."""
    table, final = TEXT.split("## Error codes")[1].split("After these")
    rows = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
    assert set(rows.findall(table)) == {code.value for code in Code} - {code.value for code in FINAL}
    assert set(rows.findall(final)) == {code.value for code in FINAL}


def test_the_examples_are_frames() -> None:
    """Each example line can be read by the side it is meant for."""
    client, server = TEXT.split("## From the server")
    lines = re.findall(r"^```\n(\{.*\})\n```", TEXT, re.MULTILINE)
    assert len(lines) > 15
    for line in lines:
        sample = line.replace("[…]", "[]").encode()
        if line in client and '"messages"' not in line:
            decode_client(sample)
        else:
            decode_server(sample)
    assert server


def test_the_limits_are_those_of_the_code() -> None:
    """A number that changes in the code changes here."""
    for words in (
        f"at most {limits.LINE // 1024} KiB, in",
        f"at most {limits.TEXT // 1024} KiB as",
        f"1 to {limits.NAME_CHARS} letters",
        f"1 to {limits.ROOM_CHARS} letters",
        f"up to {limits.REF_CHARS} characters",
        f"up to {limits.REASON_CHARS} characters",
        f"0 to {limits.PAGE_MOST}; without it {limits.PAGE}",
        f"After {DEFAULTS.faults} such lines",
        f"at most {DEFAULTS.unanswered} unanswered",
        f"within {DEFAULTS.hello} seconds",
        f"kept for {DEFAULTS.grace} seconds",
        f"`limit` is 1 to {limits.WHO}, without it {limits.WHO}",
        f"{DEFAULTS.crowd:,} people are online, and until fewer than {DEFAULTS.crowd * LEFT:,.0f} are",
    ):
        assert words in TEXT.replace("\n  ", " "), words
