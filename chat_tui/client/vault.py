"""The system's keyring, where there is a real one: an account's session lies there instead of in a file.

A keyring may ask people to unlock it, or hang: every call has a thread of its own, and is given up in time. Nothing but
the backends that come with `keyring` is taken: others may write plain text to the disk, or ask for a password in the
middle of the screen.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

_SERVICE: Final = "chat-tui"
_PATIENCE: Final = 30.0
"""Seconds for one call: people may have to unlock the keyring. Where there is none, it takes no time."""
_FROM: Final = "keyring.backends."
_NONE: Final = frozenset({"keyring.backends.fail", "keyring.backends.null", "keyring.backends.chainer"})

_Result = TypeVar("_Result")


async def store(entry: str, secret: str) -> bool:
    """Put a secret into the keyring; return whether it is there now."""

    def act(keyring: Any) -> bool:  # noqa: ANN401 - a backend of an optional package
        keyring.set_password(_SERVICE, entry, secret)
        return bool(keyring.get_password(_SERVICE, entry) == secret)

    return await _with_keyring(act) or False


async def fetch(entry: str) -> str:
    """Return a secret; empty where the keyring does not have it, or does not answer."""
    return await _with_keyring(lambda keyring: str(keyring.get_password(_SERVICE, entry) or "")) or ""


async def forget(entry: str) -> None:
    """Take a secret out of the keyring."""
    await _with_keyring(lambda keyring: keyring.delete_password(_SERVICE, entry))


async def _with_keyring(act: Callable[[Any], _Result]) -> _Result | None:
    """Do something with the keyring, in a thread; None where there is none, or it fails, or takes too long."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result | None] = loop.create_future()

    def tell(result: _Result | None) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        result = None
        with suppress(Exception):  # whatever a system's keyring raises: it is as good as none then
            if (keyring := _keyring()) is not None:
                result = act(keyring)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(tell, result)

    # No thread of the loop's own pool: one that hangs would keep the program from ending.
    threading.Thread(target=run, daemon=True).start()
    with suppress(TimeoutError):
        return await asyncio.wait_for(done, _PATIENCE)
    return None


def _keyring() -> Any:  # noqa: ANN401 - a backend of an optional package
    """Return the system's keyring; None where there is no real one."""
    try:
        import keyring
    except ImportError:
        return None
    chosen = keyring.get_keyring()
    for backend in getattr(chosen, "backends", [chosen]):
        module = type(backend).__module__
        if module.startswith(_FROM) and module not in _NONE:
            return backend
    return None
