"""What is unread in a room: for the person, whatever device they read it on."""

from bisect import bisect_left, bisect_right
from typing import Final

UNREAD: Final = 1000
"""Messages counted one by one: as many as the server counts. More are folded into what it told."""


class Unread:
    """How far a room is read, and how many messages of others come after that.

    The server says how many there were at some moment; what came after it is known by seq. Where neither tells (read
    up to the middle of what was counted, on another device), `uncertain` says that the server has to be asked again.
    """

    def __init__(self) -> None:
        self.read = 0
        """All up to here is read. It never falls."""
        self.since = 0
        """Marked as unread from here on, whatever was read; 0 for no."""
        self.uncertain = False
        """The counts are those from before; ask again."""
        self._count = self._mentions = 0
        """What the server counted, after `_counted_from`, up to the message `_last`."""
        self._counted_from = 0
        self._last = 0
        self._later: list[int] = []
        """Messages of others after `_last`, and which of them name me."""
        self._naming: list[int] = []
        self._untold_read = self._untold_since = False

    @property
    def floor(self) -> int:
        """What comes after this counts as unread."""
        return min(self.read, self.since - 1) if self.since else self.read

    @property
    def count(self) -> int:
        """Unread messages of others; `UNREAD` means so many or more."""
        return min(UNREAD, self._count + len(self._later))

    @property
    def mentions(self) -> int:
        """Those among them that name me, or everyone."""
        return self._mentions + len(self._naming)

    # What happens in the room.

    def heard(self, seq: int, named: bool) -> None:
        """Count a message of someone else, as it is delivered."""
        later = self._later
        if seq <= (later[-1] if later else self._last):
            return
        later.append(seq)
        if named:
            self._naming.append(seq)
        if len(later) > UNREAD:
            self._fold(UNREAD // 2)

    def altered(self, seq: int, *, named: bool) -> None:
        """A message says something else, which names me or not, or is gone; it counts all the same."""
        if seq <= self.floor:
            return
        at = bisect_left(self._later, seq)
        if at == len(self._later) or self._later[at] != seq:
            self.uncertain |= seq <= self._last
            return
        at = bisect_left(self._naming, seq)
        known = at < len(self._naming) and self._naming[at] == seq
        if named and not known:
            self._naming.insert(at, seq)
        elif known and not named:
            del self._naming[at]

    def forget(self, upto: int) -> None:
        """All up to a seq is erased: it does not count any more."""
        if upto > self.floor:
            self.uncertain |= self._count > 0
            self._drop(upto)

    # What the server says.

    def told(self, read: int, since: int, count: int, mentions: int, last: int, as_of: int) -> None:
        """Take in where the server has us, and what it counted after that.

        Args:
            read: all up to there is read.
            since: marked as unread from there on; 0 for no.
            count: messages of others after that.
            mentions: those among them that name me.
            last: the room's latest message then.
            as_of: up to which seq all this is true.
        """
        self.read = max(self.read, read)
        if not self.untold:
            self.since = since
        self._count, self._mentions = count, mentions
        self._counted_from = min(read, since - 1) if since else read
        self.uncertain = self._last > as_of  # what came meanwhile was too much to be held one by one
        self._last = max(last, self._last)
        self._drop(as_of)
        self._moved()

    def marked(self, read: int, since: int) -> None:
        """Take in where the server has us now: some device of ours said so."""
        self.read = max(self.read, read)
        if not self.untold:
            self.since = since
        self._moved()

    # What is done here.

    def saw(self, seq: int) -> bool:
        """All up to `seq` is read; return whether that is news."""
        if seq <= self.read and not self.since:
            return False
        self.read = max(self.read, seq)
        self.since = 0
        self._untold_read, self._untold_since = True, False
        self._moved()
        return True

    def leave_unread(self, seq: int) -> None:
        """All from `seq` on counts as unread."""
        self.since = seq
        self._untold_since = True
        self._moved()

    @property
    def untold(self) -> bool:
        """The server is to be told something: see `take_untold`."""
        return self._untold_read or self._untold_since

    def take_untold(self) -> tuple[int | None, int | None]:
        """Return what the server is to be told, in this order: read up to, unread from. It counts as told then."""
        news = (self.read if self._untold_read else None, self.since if self._untold_since else None)
        self._untold_read = self._untold_since = False
        return news

    def put_back(self, news: tuple[int | None, int | None]) -> None:
        """It may not have arrived: it is to be told again, but for what something later takes the place of."""
        if self._untold_read:
            return
        self._untold_read = news[0] is not None
        if news[1] is not None and not self._untold_since:
            self.since, self._untold_since = news[1], True
            self._moved()

    # How.

    def _moved(self) -> None:
        """Count anew where what is read has moved."""
        floor = self.floor
        if floor >= self._last:
            self._count = self._mentions = 0
            self._counted_from = self._last = floor
            self.uncertain = False
            self._drop(floor)
        elif floor != self._counted_from:
            self.uncertain = True

    def _fold(self, some: int) -> None:
        """Count the first of what came later as the server would."""
        self._last = self._later[some - 1]
        self._count += some
        self._mentions += bisect_right(self._naming, self._last)
        self._drop(self._last)

    def _drop(self, upto: int) -> None:
        del self._later[: bisect_right(self._later, upto)]
        del self._naming[: bisect_right(self._naming, upto)]
