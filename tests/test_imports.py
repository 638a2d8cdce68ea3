"""What each part loads when it is imported, seen in a fresh interpreter."""

import subprocess
import sys

import pytest

HEADLESS = ("textual", "rich")


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("server.protocol.codec", ("asyncio", "sqlite3", "apsw", "socket", *HEADLESS)),
        ("server.protocol.text", ("asyncio", "sqlite3", "apsw", "socket", *HEADLESS)),
        ("server.chat.chat", ("sqlite3", "apsw", *HEADLESS)),
        ("server.net.listener", ("sqlite3", "apsw", *HEADLESS)),
        ("server.cli", ("argon2", "cryptography", "httpx", "joserfc", *HEADLESS)),
        ("server.service", HEADLESS),
        ("chat_tui.client", ("apsw", "cryptography", "keyring", "server.chat", "server.service", *HEADLESS)),
        ("chat_tui.state", HEADLESS),
        ("chat_tui.session", ("cryptography", "keyring", *HEADLESS)),
        ("chat_tui.cli", (*HEADLESS, "msgspec")),
    ],
)
def test_a_module_loads_only_what_it_may(module: str, never: tuple[str, ...]) -> None:
    """`chat-server` never loads Textual, the protocol does no I/O, the client has no screen."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {name for name in loaded if name in never or name.split(".")[0] in never}
