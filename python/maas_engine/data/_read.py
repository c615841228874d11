"""Files, streams and frames as Arrow tables, with errors that say what is wrong and where."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from maas_engine.errors import FormatError, InvalidArgument, NotFound

MAX_COLUMNS = 100_000

_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
_COMPRESSED = {".gz", ".bz2", ".zst", ".lz4"}
_FORMATS = ("csv", "tsv", "parquet", "arrow")


def pyarrow() -> Any:
    """The package, or an error that names the extra it comes with."""
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise InvalidArgument(
            "reading tables needs pyarrow: install it with pip install 'maas_engine[train]'"
        ) from None
    return pyarrow


def to_arrow(frame: Any) -> Any:
    """Return a frame as a ``pyarrow.Table``, without copying where the frame's memory is Arrow's.

    Parameters
    ----------
    frame : pyarrow.Table, anything with ``__arrow_c_stream__`` (pandas, polars, DuckDB), or a mapping of names
        to columns

    Raises
    ------
    InvalidArgument : not a table, a repeated column name, or more than 100,000 columns.
    """
    pa = pyarrow()
    if isinstance(frame, pa.Table):
        table = frame
    elif hasattr(frame, "__arrow_c_stream__") or isinstance(frame, dict):
        try:
            table = pa.table(frame)
        except (pa.ArrowException, ValueError, TypeError) as error:
            raise InvalidArgument(f"cannot read the frame as a table: {_one_line(error)}") from None
    else:
        raise InvalidArgument(
            f"expected a data frame, an Arrow table or a dict of columns, got {type(frame).__name__}"
        )
    _check_names(table.column_names, "the table")
    # A pandas index that is no column of the data travels under this name.
    return table.drop_columns([name for name in table.column_names if name == "__index_level_0__"])


def read_table(
    source: str | Path | IO[bytes],
    *,
    format: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
) -> Any:
    """Read a file or a binary stream into a ``pyarrow.Table``.

    Parameters
    ----------
    source : path, or open binary stream (standard input)
        CSV files may be compressed (.gz, .bz2, .zst, .lz4).
    format : {'csv', 'tsv', 'parquet', 'arrow'} or None
        None: by the suffix of a path, by the first bytes of a stream.
    encoding : of CSV text
    delimiter : between CSV fields; None: a comma, for 'tsv' a tab

    Returns
    -------
    pyarrow.Table : columns that are whole numbers at first and others later are read as float64; what is not
        numbers at all as strings. Empty fields, NA, NaN, null and the like are nulls.

    Raises
    ------
    NotFound : no such file.
    FormatError : empty, no rows, rows of different lengths, wrong encoding, repeated column names, more than
        100,000 columns, not the format its name says.
    """
    pa = pyarrow()
    name = str(source) if isinstance(source, (str, Path)) else "standard input"
    if format not in (None, *_FORMATS):
        raise InvalidArgument(f"unknown format {format!r}: expected one of {', '.join(_FORMATS)}")
    if isinstance(source, (str, Path)):
        path = Path(source)
        if not path.exists():
            raise NotFound(f"no such file: {path}")
        if path.is_dir():
            raise InvalidArgument(f"{path} is a folder: expected a file")
        format = format or _format_of(path)
    else:
        source = io.BytesIO(source.read())
        format = format or _format_of_bytes(source.getbuffer()[:8].tobytes())
    try:
        if format == "parquet":
            from pyarrow import parquet

            table = parquet.read_table(source)
        elif format == "arrow":
            table = _read_arrow(source)
        else:
            table = _read_csv(source, name, encoding, delimiter or ("\t" if format == "tsv" else ","))
    except pa.ArrowException as error:
        raise FormatError(f"{name} is not a readable {format} file: {_one_line(error)}") from None
    except OSError as error:
        raise FormatError(f"cannot read {name}: {_one_line(error)}") from None
    _check_names(table.column_names, name)
    if table.num_rows == 0:
        raise FormatError(f"{name} has {table.num_columns} columns but no rows")
    return table


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "..."


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    known = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if known is None:
        with path.open("rb") as file:
            return _format_of_bytes(file.read(8))
    return known


def _format_of_bytes(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    return "arrow" if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")) else "csv"


def _read_arrow(source: Any) -> Any:
    pa = pyarrow()
    opened = pa.memory_map(str(source)) if isinstance(source, (str, Path)) else source
    if opened.read(6) == b"ARROW1":
        return pa.ipc.open_file(opened).read_all()
    opened.seek(0)
    return pa.ipc.open_stream(opened).read_all()


def _check_names(names: Sequence[str], where: str) -> None:
    if len(names) > MAX_COLUMNS:
        raise FormatError(f"{where} has {len(names)} columns: expected at most {MAX_COLUMNS}")
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        places = [str(i + 1) for i, other in enumerate(names) if other == name][:5]
        raise FormatError(f"{where} has {count} columns named {name!r} (columns {', '.join(places)})")


class _RaggedRow(Exception):
    pass


def _read_csv(source: Any, name: str, encoding: str, delimiter: str) -> Any:
    """Read CSV; a column whose type was guessed too narrow is read again as a wider one."""
    pa = pyarrow()
    header = _header(source, name, encoding, delimiter)
    types: dict[str, Any] = {}
    for _ in range(2 + len(header)):
        try:
            table = _parse(source, name, encoding, delimiter, types, threads=True)
            break
        except pa.ArrowInvalid as error:
            widened = _wider(str(error), header, types)
            if widened is None:
                raise FormatError(f"{name}: {_csv_error(error)}") from None
            types = widened
    for column in table.column_names:
        if pa.types.is_binary(table.schema.field(column).type):
            raise FormatError(f"{name}: {_not_text(table[column], column, encoding)}")
    return table


def _parse(
    source: Any, name: str, encoding: str, delimiter: str, types: dict[str, Any], *, threads: bool
) -> Any:
    from pyarrow import csv

    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "error"

    if not isinstance(source, (str, Path)):
        source.seek(0)
    try:
        return csv.read_csv(
            str(source) if isinstance(source, (str, Path)) else source,
            read_options=csv.ReadOptions(encoding=encoding, use_threads=threads),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
        )
    except UnicodeError:
        raise FormatError(f"{name}: the text is not {encoding}; name its encoding") from None
    except pyarrow().ArrowInvalid:
        if not ragged:
            raise
        row = ragged[0]
        if row.number is None and threads:  # only a single thread knows which row it is
            return _parse(source, name, encoding, delimiter, types, threads=False)
        raise FormatError(
            f"{name}: row {row.number} has {row.actual_columns} fields, expected {row.expected_columns}: "
            f"{row.text[:60]!r}"
        ) from None


def _header(source: Any, name: str, encoding: str, delimiter: str) -> list[str]:
    """The column names, checked before the whole file is parsed."""
    import csv

    pa = pyarrow()
    if isinstance(source, (str, Path)):
        with pa.input_stream(str(source), compression="detect") as stream:
            head = _first_line(stream)
    else:
        source.seek(0)
        head = _first_line(source)
    if not head.strip(b"\xef\xbb\xbf\r\n\t "):
        raise FormatError(f"{name} is empty" if not head.strip() else f"{name} begins with an empty line")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not encoding.lower().startswith("utf-16"):
        raise FormatError(f"{name} is UTF-16 text, not {encoding}: name its encoding")
    if encoding.lower().startswith("utf-16"):
        return []
    try:
        text = head.decode(encoding)
    except LookupError:
        raise InvalidArgument(f"unknown encoding {encoding!r}") from None
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{name}: row 1, byte {error.start + 1}: 0x{head[error.start]:02x} is not {encoding} text; "
            "name its encoding"
        ) from None
    csv.field_size_limit(1 << 24)
    try:
        names = next(csv.reader([text.lstrip("\ufeff")], delimiter=delimiter))
    except csv.Error as error:
        raise FormatError(f"{name}: row 1: {error}") from None
    _check_names(names, name)
    return names


def _first_line(stream: Any, limit: int = 1 << 26) -> bytes:
    parts: list[bytes] = []
    size = 0
    while size < limit and (part := stream.read(1 << 20)):
        line, newline, _ = part.partition(b"\n")
        parts.append(line)
        size += len(line)
        if newline:
            break
    return b"".join(parts)


def _wider(message: str, header: list[str], types: dict[str, Any]) -> dict[str, Any] | None:
    """Types to try after a conversion failed, or None where no wider type would help."""
    pa = pyarrow()
    found = re.search(r"In CSV column #(\d+)", message)
    if found is None or "conversion error" not in message or int(found[1]) >= len(header):
        return None
    column = header[int(found[1])]
    if types.get(column) == pa.string():
        return None
    narrow = re.search(r"conversion error to (\w+)", message)
    wider = pa.float64() if narrow is not None and narrow[1] == "int64" else pa.string()
    return {**types, column: wider}


def _csv_error(error: BaseException) -> str:
    text = _one_line(error)
    return re.sub(r"^CSV parse error: ", "", text)


def _not_text(column: Any, name: str, encoding: str) -> str:
    for row, value in enumerate(column):
        raw = value.as_py()
        if raw is None:
            continue
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            return (
                f"column {name!r}, row {row + 2}: byte 0x{raw[error.start]:02x} is not {encoding} text; "
                "name its encoding"
            )
    return f"column {name!r} is not {encoding} text; name its encoding"
