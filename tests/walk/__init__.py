"""A walk through the whole program at a real terminal, see ``tests.benchmarks.walk``."""
