"""What is remembered between two starts, and where it lies."""

import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

DEFAULT_PORT = 7373
"""Where `chat-server` listens unless it is told otherwise."""
_NAMES = 8
"""Names that are remembered of one server."""


@dataclass
class Settings:
    """What a person chose in the program."""

    theme: str = ""
    """Name of the colours; empty for what fits the terminal."""
    people: bool = True
    """Show who is here, where there is room for it."""
    rooms: bool = True
    """Show the rooms, where there are several and room for them."""
    sort: str = "recent"
    """How rooms are ordered: by `recent` messages, or by `name`."""
    emoji: str = "thumbsup heart joy tada eyes white_check_mark"
    """Short names of the reactions used last, the last one first."""


def settings_path() -> Path:
    """Return the file of the settings."""
    return _config_home() / "chat-tui" / "settings.json"


def names_path() -> Path:
    """Return the file of the names that one had."""
    return _config_home() / "chat-tui" / "names.json"


def _config_home() -> Path:
    """Return where settings belong: on Linux by the XDG rule itself, the library would delay the first paint."""
    if sys.platform == "linux":
        given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
        return given if given.is_absolute() else Path.home() / ".config"
    from platformdirs import user_config_path

    return user_config_path(appauthor=False)


def data_path() -> Path:
    """Return the directory of this program's data."""
    from platformdirs import user_data_path

    return user_data_path("chat-tui", appauthor=False)


def known_path() -> Path:
    """Return the file of the servers that are known by their keys."""
    return data_path() / "known_servers"


def load(path: Path) -> Settings:
    """Return the settings; the defaults for what the file does not say, or says in a wrong type."""
    settings = Settings()
    said = _read(path)
    for field in fields(settings):
        value = said.get(field.name)
        if type(value) is type(field.default):
            setattr(settings, field.name, value)
    return settings


def save(settings: Settings, path: Path) -> None:
    """Write the settings. A disk that can't be written costs no more than the memory of them."""
    _write(asdict(settings), path)


def load_names(path: Path, server: str) -> list[str]:
    """Return the names that one had on a server, known by its `host:port`; the last one first."""
    names = _read(path).get(server)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def save_names(path: Path, server: str, names: list[str]) -> None:
    """Remember the names that one had on a server, instead of those that were remembered."""
    said = _read(path)
    if said.get(server, []) != names:
        said.pop(server, None)
        _write({**said, server: names[:_NAMES]} if names else said, path)


def _read(path: Path) -> dict[str, Any]:
    """Return what a file says; nothing where it can't be read."""
    with suppress(OSError, ValueError):
        text = path.read_text(encoding="utf-8")
        import json  # most have no such file

        said = json.loads(text)
        return said if isinstance(said, dict) else {}
    return {}


def _write(said: dict[str, Any], path: Path) -> None:
    import json

    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        new.replace(path)
