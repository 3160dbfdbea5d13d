"""Conformance suites and fakes, for us and for third parties; nothing but tests imports them.

Inherit ``conformance_backend``, ``conformance_codec``, ``conformance_dataset`` or ``conformance_exporter`` and name
what is tested. ``runs`` and ``fakes`` stand for measurements where a test is about something else.
"""
