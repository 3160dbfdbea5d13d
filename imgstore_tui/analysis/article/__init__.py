"""Judges the article's claims: from cells of a run (``claims``), and from the probes of backends (``probe_claims``)."""
