"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String, Text

revision = "0001"
down_revision = None

_Id = BigInteger().with_variant(Integer, "sqlite")
_Digest = String(64)
_Name = String(255)


def upgrade() -> None:
    op.create_table(
        "models",
        Column("id", _Id, nullable=False),
        Column("name", _Name, nullable=False),
        Column("description", Text, nullable=False),
        Column("last_version", Integer, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("created_by", _Name, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("name", name="uq_models_name"),
    )
    op.create_table(
        "versions",
        Column("id", _Id, nullable=False),
        Column("model_id", _Id, nullable=False),
        Column("version", Integer, nullable=False),
        Column("digest", _Digest, nullable=False),
        Column("description", Text, nullable=False),
        Column("parent_id", _Id),
        Column("created", BigInteger, nullable=False),
        Column("created_by", _Name, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_versions_model_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["versions.id"], name="fk_versions_parent_id"),
        sa.UniqueConstraint("model_id", "version", name="uq_versions_model_id_version"),
    )
    op.create_table(
        "manifests",
        Column("version_id", _Id, nullable=False),
        Column("manifest", Text, nullable=False),
        sa.PrimaryKeyConstraint("version_id", name="pk_manifests"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_manifests_version_id"),
    )
    op.create_index("ix_versions_digest", "versions", ["digest"])
    op.create_index("ix_versions_parent_id", "versions", ["parent_id"])
    _create_content()
    _create_entries("model_tags", "model_id", Column("value", Text, nullable=False))
    _create_entries("version_tags", "version_id", Column("value", Text, nullable=False))
    _create_entries("metrics", "version_id", Column("value", sa.Double, nullable=False))
    op.create_table(
        "aliases",
        Column("model_id", _Id, nullable=False),
        Column("alias", _Name, nullable=False),
        Column("version_id", _Id, nullable=False),
        sa.PrimaryKeyConstraint("model_id", "alias", name="pk_aliases"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_aliases_model_id"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_aliases_version_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_aliases_version_id", "aliases", ["version_id"])
    _create_log()
    _create_tokens()


def _create_content() -> None:
    op.create_table(
        "blobs",
        Column("sha256", _Digest, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("state", String(16), nullable=False),
        Column("lease", BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_blobs"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "files",
        Column("version_id", _Id, nullable=False),
        Column("path", _Name, nullable=False),
        Column("sha256", _Digest, nullable=False),
        sa.PrimaryKeyConstraint("version_id", "path", name="pk_files"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_files_version_id"),
        sa.ForeignKeyConstraint(["sha256"], ["blobs.sha256"], name="fk_files_sha256"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])


def _create_entries(table: str, owner: str, value: Column[object]) -> None:
    op.create_table(
        table,
        Column(owner, _Id, nullable=False),
        Column("key", _Name, nullable=False),
        value,
        sa.PrimaryKeyConstraint(owner, "key", name=f"pk_{table}"),
        sa.ForeignKeyConstraint([owner], [f"{owner.removesuffix('_id')}s.id"], name=f"fk_{table}_{owner}"),
        sqlite_with_rowid=False,
    )


def _create_log() -> None:
    op.create_table(
        "events",
        Column("sequence", _Id, autoincrement=False, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("actor", _Name, nullable=False),
        Column("action", String(64), nullable=False),
        Column("model", _Name, nullable=False),
        Column("version", Integer),
        Column("alias", _Name),
        Column("detail", Text, nullable=False),
        Column("hash", _Digest, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_events"),
    )
    op.create_index("ix_events_model_alias", "events", ["model", "alias", "sequence"])
    head = op.create_table(
        "head",
        Column("id", Integer, autoincrement=False, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("time", BigInteger, nullable=False),
        Column("hash", _Digest, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_head"),
    )
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "time": 0, "hash": "0" * 64}])


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        Column("id", String(32), nullable=False),
        Column("secret_hash", _Digest, nullable=False),
        Column("description", Text, nullable=False),
        Column("scopes", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("created_by", _Name, nullable=False),
        Column("expires", BigInteger),
        Column("revoked", BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
    )
