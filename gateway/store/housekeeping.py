"""What may be forgotten: work long done and sessions long over. Evidence is never touched here."""

from __future__ import annotations

from gateway.store.session import Store, execute_many

_BATCH = 2_000


def purge_done_work(store: Store, before: int) -> int:
    """Delete work finished before an instant (microseconds), a little at a time so that writers need not wait."""
    sql = "DELETE FROM work WHERE id IN (SELECT id FROM work WHERE done_at < ? ORDER BY id LIMIT ?)"
    gone = 0
    while True:
        with store.write() as conn:
            batch = execute_many(conn, sql, [(before, _BATCH)])
        gone += batch
        if batch < _BATCH:
            return gone
