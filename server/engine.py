"""The chat joined with its log, archive, index and passwords: a server without its connections."""

import asyncio
import contextlib
from collections.abc import Callable

from server.archive.reader import ThreadedArchive
from server.archive.search import SearchIndex
from server.chat.chat import Chat
from server.config import Config
from server.data import DataDirectory
from server.identity.passwords import ArgonPasswords
from server.identity.provider import OpenIdProvider, secret_from
from server.log.sqlite import SqliteLog
from server.version import SERVER


class Engine:
    """Runs on the event loop that it is made on, from then on.

    Args:
        config: the server's settings.
        data: its directory, which is open.
        control: what whoever runs the server says in `hello` to do everything.

    Raises:
        StoreError: the database can't be used.
        SsoError: the provider can't, by which people are to sign in.
    """

    def __init__(self, config: Config, data: DataDirectory, control: str) -> None:
        self._provider = _provider(config)
        self._journal = SqliteLog(data.database)
        rooms = self._journal.open()
        loop = asyncio.get_running_loop()
        self._index = SearchIndex(data.database, data.index, lambda seqs: _call(loop, self.chat.privacy.indexed, seqs))
        self._archive = ThreadedArchive(data.database, self._index, config.limits.page)
        self._passwords = ArgonPasswords()
        self.chat = Chat(
            self._journal,
            self._archive,
            rooms,
            SERVER,
            config.limits,
            passwords=self._passwords,
            provider=self._provider,
            control=control,
        )
        self.chat.committed_to = self._index.advance
        self._journal.start(self.chat.committed)
        self._index.start(self._journal.head)

    async def close(self) -> None:
        """Take no more, commit and hand back what was taken, and close the files."""
        await self._index.close()
        self.chat.stop_taking()
        await self._journal.close()
        await self._archive.close()
        self._passwords.close()
        if self._provider is not None:
            await self._provider.close()
        await asyncio.sleep(0)  # requests for pages that were not read any more are answered


def _provider(config: Config) -> OpenIdProvider | None:
    """Return what signs people in by a provider, where one is set."""
    sso = config.sso
    if sso is None:
        return None
    secret = secret_from(sso.secret_file) if sso.secret_file is not None else ""
    return OpenIdProvider(sso.issuer, sso.client, secret, sso.name)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[list[int]], None], seqs: list[int]) -> None:
    """Call a function on the event loop, from another thread; where that has ended, the next start will."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function, seqs)
