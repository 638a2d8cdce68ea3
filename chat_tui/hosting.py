"""Hosting: a chat-server of one's own, started where none answers.

It runs as a child in a session of its own: stopping or killing this terminal does not stop other people's server. Its
standard input is a pipe from here: its end tells the server that it may go once nobody is connected any more.
"""

import re
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

HERE = "127.0.0.1"
"""Where the server listens unless it is shared."""


class Server:
    """A chat-server started here.

    Args:
        port: where it listens.
        data: directory of its data; made where it does not exist.
        share: listen to the network, not to this machine alone.
    """

    def __init__(self, port: int, data: Path, *, share: bool = False) -> None:
        self.log_file = data / "server.log"
        self.share = share
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # -P: a directory called server where one happens to stand is not our server.
        command = [sys.executable, "-P", "-m", "server.cli", "--port", str(port), "--data", str(data), "--hosted"]
        command += ["--log-file", str(self.log_file)]
        if share:
            command += ["--host", "0.0.0.0"]  # noqa: S104 - what --share asks for
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=flags,
            cwd=data,
        )

    @property
    def alive(self) -> bool:
        """The server has not ended."""
        return self._process.poll() is None

    def last_words(self) -> str:
        """Return the last line of its log, without its time; empty where it wrote none."""
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        last = next((line for line in reversed(lines) if line.strip()), "")
        return last.partition("  ")[2] or last

    def owner_code(self) -> str:
        """Return the code by which one becomes its owner, as its log says it; empty where it says none."""
        try:
            said = re.findall(
                r"Owner code: ([0-9a-z-]+)\.", self.log_file.read_text(encoding="utf-8", errors="replace")
            )
        except OSError:
            return ""
        return said[-1] if said else ""

    def release(self) -> None:
        """Leave it alone: it ends once nobody is connected."""
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()
        # It lives on without us, and that is as it should be: no warning about a child that was not waited for.
        self._process.returncode = self._process.poll() or 0


def address_for_others() -> str:
    """Return this machine's address in its network; its name where none is known. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, suppress(OSError):
        # Connecting a datagram socket only chooses the way. The address is one of those kept for documentation.
        sock.connect(("192.0.2.1", 9))
        address = str(sock.getsockname()[0])
        if not address.startswith(("127.", "0.")):
            return address
    return socket.gethostname()
