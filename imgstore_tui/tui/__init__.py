"""The screen: the only importer of Textual.

``terminal.capabilities`` checks the terminal before Textual is loaded, ``app`` starts. ``screens`` and ``widgets`` have
one of them per module, ``styles`` their layout. They show plain values that know no Textual: the ``Choice`` from which
a plan follows, the forms being edited (``forms``), the run as far as it has come (``run.shown_run``). A run goes on in
a thread, and ``run.run_thread`` is the only way to it.
"""
