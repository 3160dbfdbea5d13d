"""Gives each trial its own process: the executor, the fork server, and the child's side."""
