"""Where the points of faults were: see `maas_engine._faults`."""

from maas_engine._faults import point as point
