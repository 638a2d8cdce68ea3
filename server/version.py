"""What this program is called to others."""

from importlib import metadata

try:
    VERSION = metadata.version("chat-tui")
except metadata.PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0"

SERVER = f"chat-server {VERSION}"
