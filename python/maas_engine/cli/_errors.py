"""What an error is to the user of a command."""

from __future__ import annotations

from maas_engine.errors import MaasError

# What a command may lack, and the extra that brings it.
EXTRAS = {
    **dict.fromkeys(("sqlalchemy", "alembic", "fsspec", "zstandard"), "registry"),
    "psycopg": "postgresql",
    "s3fs": "s3",
    "starlette": "serve",
}


def describe(error: Exception) -> str:
    """The one line a user reads; an error that is not about the input names itself."""
    text = str(error) or type(error).__name__
    if isinstance(error, (MaasError, ValueError, OSError)):
        return text
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in EXTRAS:
        extra = EXTRAS[str(error.name).partition(".")[0]]
        return f"{error.name} is not installed: pip install 'maas_engine[{extra}]'"
    if isinstance(error, MemoryError):
        return f"not enough memory: {text}"
    return f"{type(error).__name__}: {text} (run with --traceback to see where)"
