"""A run made readable, for the screen, the command line and files alike. No Textual here.

A run is digested once (``digest``). Tables are made as rows of harmless text (``rows``; ``sections`` has all of them in
order, from ``timings``, ``disk``, ``ranking``, ``comparison``, ``article``, ``notes``), and only then for a terminal
(``tables``, ``arrange``) or a file (``exports``, one module a format). Charts are figures first (``figures``, ``axes``,
``drawings``), then drawn as text (``charts``, ``bars``, ``legend``), as SVG (``svg``) or by matplotlib (``plots``).
Words are in ``words``, ``telling``, ``answer``, ``log``, ``saved`` and ``estimates``; one cell in full in ``detail``;
all cells at a glance in ``matrix``; the data itself in ``contact_sheet``.
"""
