"""Alembic's entry: runs revisions on the connection that store.schema hands over, within its transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

import gateway.store.tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction is the one
)
context.run_migrations()
