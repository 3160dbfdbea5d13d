"""Makes results readable, for the screen, the command line and files: no Textual, no I/O but that of ``exports``.

``results`` computes summaries and verdicts of a run once; everything else takes a ``RunResults``. ``tables`` builds
tables of harmless text before any format is chosen; ``charts`` builds figures and draws them as text, SVG or with
matplotlib; ``text`` writes sentences; ``detail`` shows one cell in full; ``article`` reports the article's experiment.
``exports`` writes files, one module per format; ``full_report`` puts all of it together for a terminal. ``help`` is the
manual.
"""
