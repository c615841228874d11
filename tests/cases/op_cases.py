"""The one table of operator cases: what proves the interpreter, the programs and the reader."""

from __future__ import annotations

from cases import elementwise

ALL = [case for family in (elementwise,) for case in family.cases()]
