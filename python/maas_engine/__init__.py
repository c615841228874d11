"""maas_engine: trains, proves and serves linear models and neural networks."""

from __future__ import annotations

from maas_engine import _core

__version__: str = _core.__version__
