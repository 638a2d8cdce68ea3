"""A real OpenID Connect provider on loopback: nanoidp in a process of its own, and people who sign in there.

Run as a program, this file is that process: `python tests/provider.py FOLDER [PORT]`.
"""

import os
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

CLIENT = "chat"
SECRET = "not-so-secret"  # noqa: S105

_SETTINGS = """
oauth:
  issuer: "http://127.0.0.1:1"
  issuer_from_request: true
  clients:
    - client_id: "{client}"
      client_secret: "{secret}"
    - client_id: "open"
      token_endpoint_auth_method: "none"
device_flow:
  code_expiry_seconds: {lifetime}
  polling_interval: 1
"""

_USERS = """
users:
  alice: {password: "pw", email: "alice@example.org"}
  bob: {password: "pw", email: "bob@example.org"}
"""


class Provider:
    """The provider, and what people do in their browsers.

    Args:
        folder: where it keeps its keys: a second one from the same folder has the same.
        lifetime: seconds for which its codes are good.
        port: 0 for a free one.
    """

    def __init__(self, folder: Path, lifetime: int = 600, port: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "settings.yaml").write_text(_SETTINGS.format(client=CLIENT, secret=SECRET, lifetime=lifetime))
        (folder / "users.yaml").write_text(_USERS)
        self.secret_file = folder / "secret"
        self.secret_file.write_text(SECRET + "\n")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, str(folder), str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={key: value for key, value in os.environ.items() if not key.startswith("NANOIDP")},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.issuer = f"http://127.0.0.1:{self.port}"

    @property
    def arguments(self) -> list[str]:
        """What `chat-server` is told, to let people sign in here."""
        secret = ["--sso-secret-file", str(self.secret_file)]
        return ["--sso-issuer", self.issuer, "--sso-client", CLIENT, *secret, "--sso-name", "Lab"]

    def approve(self, code: str, who: str) -> None:
        """Sign in with a code."""
        self._visit(code, who, "authorize", "authorized")

    def deny(self, code: str) -> None:
        """Refuse a code."""
        self._visit(code, "alice", "deny", "denied")

    def stop(self) -> None:
        """End it at once, unless it has ended."""
        if self.process.returncode is None:
            self.process.kill()
            self.process.communicate()

    def _visit(self, code: str, who: str, action: str, outcome: str) -> None:
        form = {"user_code": code, "username": who, "password": "pw", "action": action}
        data = urllib.parse.urlencode(form).encode()
        past_proxies = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with past_proxies.open(f"{self.issuer}/device", data, timeout=30) as response:
            page = response.read().decode()
        assert f'"decision-message decision-{outcome}"' in page, page


def _run(folder: str, port: int) -> None:
    from nanoidp.app import create_app  # type: ignore[import-untyped]
    from werkzeug.serving import make_server

    os.chdir(folder)
    server = make_server("127.0.0.1", port, create_app(folder), threaded=True)
    print(server.server_port, flush=True)  # noqa: T201 - whoever started it reads this
    server.serve_forever()


if __name__ == "__main__":
    _run(sys.argv[1], int(sys.argv[2]))
