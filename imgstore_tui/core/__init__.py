"""The vocabulary and the contracts of the house: standard library and numpy only.

What words mean: ``operations``, ``content``, ``spec``, ``options``, ``model`` (plan, trial, run), ``events``,
``errors``, and as people read and write them ``units``, ``paths``, ``text``. What a plug-in must do: ``backend``, with
what it says of itself (``declaration``) and the stores it opens (``handles``); ``codec``, ``dataset``, ``exporter``.
What stores of ours have in common: ``manifest`` and ``live_ids``; ``files`` and ``removal`` are what touches the file
system. How this program starts itself and says what to install: ``interpreter``, ``installing``.
"""
