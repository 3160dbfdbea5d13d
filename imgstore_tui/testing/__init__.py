"""Conformance suites and fakes, for this program and for plug-ins of others; only tests import them.

Inherit ``conformance_backend``, ``conformance_codec``, ``conformance_dataset`` or ``conformance_exporter`` and name
what is tested. ``fake_runs`` and ``fake_executor`` replace measurements where a test is about something else.
"""
