"""Shows the engine's thread pool to ``threadpoolctl`` (which scikit-learn and joblib use to limit threads).

Imported by the estimator rooms only, so that ``import maas_engine`` does not load threadpoolctl.
"""

from __future__ import annotations

import ctypes
import functools

import threadpoolctl


class MaasController(threadpoolctl.LibController):  # type: ignore[misc]
    """Finds the extension among the loaded libraries by its file name and by symbols only it has."""

    user_api = "maas_engine"
    internal_api = "maas_engine"
    filename_prefixes = ("_core.",)
    check_symbols = ("maas_get_num_threads", "maas_set_num_threads")

    # threadpoolctl asks every library named _core.*, before it looks at check_symbols: other packages'
    # extensions have none of these functions.
    def get_num_threads(self) -> int | None:
        function = self._get_symbol("maas_get_num_threads")
        return None if function is None else int(function())

    def set_num_threads(self, num_threads: int) -> None:
        function = self._get_symbol("maas_set_num_threads")
        if function is not None:
            function(num_threads)

    def get_version(self) -> str | None:
        function = self._get_symbol("maas_get_version")
        if function is None:
            return None
        function.restype = ctypes.c_char_p
        return str(function().decode())


@functools.cache
def register() -> None:
    """Register the controller, once a process."""
    threadpoolctl.register(MaasController)
