"""The one table of operator cases: what proves the interpreter, the programs and the reader."""

from __future__ import annotations

from cases import choose, elementwise, layout, matrix, ml, reduce

ALL = [case for family in (elementwise, choose, layout, matrix, reduce, ml) for case in family.cases()]
