"""Starts servers on this machine: those that are installed, on loopback ports, in folders of their own.

``recipe`` is the contract of a server, ``recipes`` has one file for each. A ``node`` is one server that runs; each
has a ``guardian``, a process that ends it together with whoever started it; ``supervisor`` starts and lists them.
"""
