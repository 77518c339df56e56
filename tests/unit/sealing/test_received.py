"""What a receipt says of the messages of a case: when they came, and by which digest the log proves them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert, select

from gateway.messagelog.chain import NewEntry, append
from gateway.sealing.received import ReceivedMessage, received_of
from gateway.store.session import Store
from gateway.store.tables import CaseMessage, Entry, Message
from gateway.store.vault import Vault

AT = datetime(2026, 11, 23, 2, 0, 0, 250, UTC)
AT_US = int(AT.timestamp()) * 1_000_000 + 250


def test_messages_come_in_the_order_they_were_received_with_the_logs_digests(store: Store, vault: Vault) -> None:
    with store.write() as conn:
        entries = [NewEntry("received", f"m{number}", {}, f"MSH|{number}".encode()) for number in (1, 2)]
        append(conn, vault, "gw/1.a", AT_US, entries)
        for number, later in ((1, 5), (2, 0), (9, 9)):
            values = {"id": f"gw/1.a.{number}", "received_at": AT_US + later, "type": "ADT^A01", "relevance": "birth"}
            values |= {"feed": "his", "format": "hl7v2", "control_key": f"M{number}", "content_key": b"c", "ack": "AA"}
            conn.execute(insert(Message).values(**values))
            case = "another" if number == 9 else "hs"
            conn.execute(insert(CaseMessage).values(case_id=case, message_id=f"gw/1.a.{number}"))
    with store.read() as conn:
        table = Entry.__table__  # type: ignore[attr-defined]
        digests = dict(conn.execute(select(table.c.seq, table.c.digest)).all())
        second, first = received_of(conn, "hs")
        assert received_of(conn, "none") == ()
        assert [each.digest for each in received_of(conn, "another")] == [""], "the log's entry is gone"
    assert second == ReceivedMessage("gw/1.a.2", AT, "ADT^A01", bytes(digests[2]).hex())
    assert first.id == "gw/1.a.1"
    assert len(first.digest) == 64
    assert first.digest != second.digest
