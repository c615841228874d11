"""Tables in: CSV, Parquet and Arrow files, data frames, and what a model can be fitted on made of them.

Reading and conversion are pyarrow's (the extra ``train``); anything that offers the Arrow PyCapsule interface
(pandas, polars, DuckDB, Arrow tables) is taken as it is.
"""

from __future__ import annotations

from maas_engine.data._dataset import Dataset, dataset, infer_task, numbers, texts
from maas_engine.data._read import read_table, to_arrow

__all__ = ["Dataset", "dataset", "infer_task", "numbers", "read_table", "texts", "to_arrow"]
