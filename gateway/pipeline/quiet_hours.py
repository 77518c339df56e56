"""Quiet hours of a feed: when nothing is sent to the hospital. Acknowledgements are no such sending: a sender that asks
is answered at any hour. Pure."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta, timezone

from gateway.ports.hospital import Feed

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def read_quiet_hours(text: str) -> tuple[time, time]:
    """Begin and end of `22:00-05:00`. Raises ValueError for another form, and for hours that begin and end at once."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError("write quiet hours as 22:00-05:00")
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if begin == end:
        raise ValueError("quiet hours begin and end at the same time: leave them out, or name other hours")
    return begin, end


def end_of_quiet(feed: Feed, at: datetime) -> datetime | None:
    """When the quiet hours end in which the aware instant `at` lies; None when it lies in none. The end itself is no
    longer quiet. Hours are those of the feed's own clock (`Feed.offset`)."""
    if not feed.quiet_hours:
        return None
    begin, end = read_quiet_hours(feed.quiet_hours)
    here = at.astimezone(timezone(timedelta(minutes=feed.offset)))
    now = here.time()
    over_midnight = begin > end
    quiet = (now >= begin or now < end) if over_midnight else begin <= now < end
    if not quiet:
        return None
    day = here.date() + timedelta(days=1) if over_midnight and now >= begin else here.date()
    return datetime.combine(day, end, here.tzinfo)
