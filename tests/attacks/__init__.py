"""Hostile models and weights, one idea a file, each with what must stop it. `python -m attacks` tries them all."""
