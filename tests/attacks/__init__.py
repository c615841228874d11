"""Hostile models, weights and packages, an idea a file, each with what must stop it. `python -m attacks` tries all."""
