"""The registry's tables. Times are microseconds since 1970 UTC; digests are 64 lower-case hexadecimal digits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Digest = String(64)
_Name = String(255)
_KEYED: dict[str, Any] = {"sqlite_with_rowid": False}  # a row lies where its key leads: half the way to it

models = Table(
    "models",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("last_version", Integer, nullable=False),  # numbers are never given twice, also after a deletion
    Column("created", BigInteger, nullable=False),
    Column("created_by", _Name, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("model_id", ForeignKey("models.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", _Digest, nullable=False, index=True),  # of the package: its canonical manifest
    Column("description", Text, nullable=False),
    Column("parent_id", ForeignKey("versions.id"), index=True),
    Column("created", BigInteger, nullable=False),
    Column("created_by", _Name, nullable=False),
    UniqueConstraint("model_id", "version"),
)

# Apart from the versions, which a search reads all of: these are long.
manifests = Table(
    "manifests",
    metadata,
    Column("version_id", ForeignKey("versions.id"), primary_key=True),
    Column("manifest", Text, nullable=False),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", _Digest, primary_key=True),
    Column("size", BigInteger, nullable=False),  # bytes, before the store compresses
    Column("state", String(16), nullable=False),  # uploading: the store may not have it; present
    Column("lease", BigInteger, nullable=False),  # until then no one collects it, referenced or not
    **_KEYED,
)

files = Table(
    "files",
    metadata,
    Column("version_id", ForeignKey("versions.id"), primary_key=True),
    Column("path", _Name, primary_key=True),
    Column("sha256", ForeignKey("blobs.sha256"), nullable=False, index=True),
    **_KEYED,
)

model_tags = Table(
    "model_tags",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("key", _Name, primary_key=True),
    Column("value", Text, nullable=False),
    **_KEYED,
)

version_tags = Table(
    "version_tags",
    metadata,
    Column("version_id", ForeignKey("versions.id"), primary_key=True),
    Column("key", _Name, primary_key=True),
    Column("value", Text, nullable=False),
    **_KEYED,
)

metrics = Table(
    "metrics",
    metadata,
    Column("version_id", ForeignKey("versions.id"), primary_key=True),
    Column("key", _Name, primary_key=True),
    Column("value", Double, nullable=False),
    **_KEYED,
)

aliases = Table(
    "aliases",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("alias", _Name, primary_key=True),
    Column("version_id", ForeignKey("versions.id"), nullable=False, index=True),
    **_KEYED,
)

# Aliases that only a promotion moves, by the gates in canonical JSON.
protections = Table(
    "protections",
    metadata,
    Column("model_id", ForeignKey("models.id"), primary_key=True),
    Column("alias", _Name, primary_key=True),
    Column("gates", Text, nullable=False),
    **_KEYED,
)

# Append-only: what happened, each row's hash over its own fields and the hash before it.
events = Table(
    "events",
    metadata,
    Column("sequence", _Id, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", _Name, nullable=False),
    Column("action", String(64), nullable=False),  # alias.set, version.register, token.revoke, ...
    Column("model", _Name, nullable=False),  # "" for what concerns none
    Column("version", Integer),
    Column("alias", _Name),
    Column("detail", Text, nullable=False),  # canonical JSON
    Column("hash", _Digest, nullable=False),
)
Index("ix_events_model_alias", events.c.model, events.c.alias, events.c.sequence)

# One row: the last event. Writers lock it first, so they come one after the other on every database.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("hash", _Digest, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), primary_key=True),  # public: the first part of the token
    Column("secret_hash", _Digest, nullable=False),
    Column("description", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # JSON list: predict:credit, admin
    Column("created", BigInteger, nullable=False),
    Column("created_by", _Name, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
)
