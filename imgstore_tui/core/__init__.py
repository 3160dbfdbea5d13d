"""Defines the vocabulary and the contracts, with the standard library and numpy only.

Vocabulary: ``operations``, ``content``, ``spec``, ``options``, ``location``, ``model`` (plan, trial, run), ``events``,
``errors``; how they are written and read: ``units``, ``paths``, ``text``.
Contracts of plug-ins: ``backend`` with its ``capabilities`` and its open stores (``reader_writer``), ``codec``,
``dataset``, ``exporter``; ``former_names`` keeps older plug-ins working.
What all stores share: ``manifest``, ``live_ids``. What to install: ``install_hint``.
"""
