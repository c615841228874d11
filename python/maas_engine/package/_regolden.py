"""Recording a package's answers anew, after the engine's arithmetic or the processor changed."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace

from maas_engine import _core
from maas_engine.errors import InvalidArgument, NumericsWarning
from maas_engine.package import _card, _golden
from maas_engine.package._open import open_parts
from maas_engine.package._package import Package
from maas_engine.package._policy import Policy
from maas_engine.package._write import complete, keep, now


def re_golden(
    folder: str | os.PathLike[str], to: str | os.PathLike[str], policy: Policy | None = None
) -> Package:
    """Write a package's model anew, with the bits that this engine answers on this processor.

    Packages do not change: this is another one, of another digest, which names the old one's in its lineage
    (``re_golden``). It is neither signed nor encrypted.

    Parameters
    ----------
    folder : path
        A package that opens under the policy: its answers are within tolerance.
    to : path
        Must not exist.
    policy : Policy or None
        None reads it from the environment.

    Raises
    ------
    InvalidArgument : an encrypted package, whose content would lie open; or ``to`` exists.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericsWarning)
        old, parts = open_parts(folder, policy)
    if old.encrypted:
        raise InvalidArgument(
            f"[package] '{old.path}': expected a package that is not encrypted: decrypt it first"
        )
    del parts[_card.NAME]
    parts[_golden.NAME] = _golden.renew(old.model(), parts[_golden.NAME])
    manifest = replace(
        old.manifest,
        created=now(),
        engine=_core.__version__,
        numerics=_core.NUMERICS,
        tier=_golden.tier(),
        lineage={**old.manifest.lineage, "re_golden": old.digest},
    )
    return keep(to, complete(old.model(), old.profile(), manifest, parts))
