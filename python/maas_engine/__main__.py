"""``python -m maas_engine`` is the command line."""

from maas_engine.cli import main

main()
