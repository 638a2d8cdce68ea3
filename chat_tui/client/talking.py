"""Own messages and what is being written: kept until the server has them."""

import asyncio

from chat_tui.client.outbox import Outbox, Pending, Sent
from chat_tui.client.requests import Requests
from chat_tui.errors import Refused
from server.protocol.errors import ProtocolError
from server.protocol.text import check_text


class Talking(Requests):
    """What a client says, besides its requests."""

    def __init__(self, patience: float, backlog: int) -> None:
        super().__init__(patience, backlog)
        self._outbox = Outbox(self._write)

    def post(
        self,
        text: str,
        *,
        room: str = "general",
        me: bool = False,
        reply: int = 0,
        draft: str = "",
        instead: int = 0,
    ) -> Pending:
        """Send a message without waiting; while not connected it is kept for the next connection.

        Its end shows in `batches`: as a message with its id, or as an error with its id. `reply` is the message that it
        answers, 0 for none. `draft`: where it was the draft, which is forgotten in the same moment; so is the failed
        message of id `instead`.

        Raises:
            Refused: it can't be a message: empty, or too long.
        """
        try:
            return self._outbox.post(room, check_text(text), me, reply=reply, draft=draft, instead=instead)
        except ProtocolError as error:
            raise Refused(error.code, error.message) from error

    async def send(self, text: str, *, room: str = "general", me: bool = False, reply: int = 0) -> Sent:
        """Send a message; return once it is durable.

        Raises:
            NotConnected: nothing was sent.
            Refused: the server does not take it.
            Lost: the connection ended before it was confirmed; `reconnect` sends it again.
        """
        self._live()
        message = self.post(text, room=room, me=me, reply=reply)
        message.done = asyncio.get_running_loop().create_future()
        self._read_on()
        return await message.done

    def withdraw(self, id: int) -> bool:
        """Take back a message that failed or is not confirmed.

        Returns whether that is done. Where it may have arrived, the server is asked, now or once it is there again, and
        its answer shows in `batches`: an `ok` with the id, and with a `seq` where it came too late.
        """
        return self._outbox.withdraw(id)

    @property
    def failed(self) -> list[Pending]:
        """Own messages that were refused, or of which nobody knows (`failed` says why), until they are withdrawn."""
        return list(self._outbox.failed.values())

    def draft(self, place: str = "general") -> str:
        """Return what was being written in a room, or another place that has a name for whoever writes there."""
        return self._outbox.box.drafts.get(place, "")

    def keep_draft(self, text: str, place: str = "general") -> None:
        """Keep what is being written somewhere."""
        self._outbox.box.keep_draft(place, text)

    @property
    def keeps(self) -> bool:
        """What is not confirmed outlives this process."""
        return self._outbox.box.kept

    @property
    def trouble(self) -> str:
        """Why nothing is kept although it should be, as a sentence; empty where all is well."""
        return self._outbox.box.trouble

    @property
    def unconfirmed(self) -> list[Pending]:
        """Own messages on their way, oldest first."""
        return list(self._outbox.pending.values())
