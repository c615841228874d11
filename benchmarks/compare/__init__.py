"""Ours beside the peers: the same work, the same machine, one run. See benchmarks/README.md."""
