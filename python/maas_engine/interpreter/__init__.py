"""Runs a Graph with the functions of any array API namespace: the oracle of the tests, the fallback on a GPU."""

from __future__ import annotations

from maas_engine.interpreter._run import OPERATORS, Interpreter, run

__all__ = ["OPERATORS", "Interpreter", "run"]
