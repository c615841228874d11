"""Aliases that only a promotion moves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "protections",
        Column("model_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
        Column("alias", String(255), nullable=False),
        Column("gates", Text, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "alias", name="pk_protections"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_protections_model_id"),
        sqlite_with_rowid=False,
    )
