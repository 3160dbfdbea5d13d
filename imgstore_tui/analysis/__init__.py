"""Derives meaning from measurements, without I/O: only sentences of verdicts are written here.

``aggregate`` gathers trials into cells, ``summary`` summarises a cell, ``verdict`` judges the methods of a contest,
``cell_breakdown`` splits the time of one cell into phases, ``compare`` compares two runs, ``methods`` summarises each
storage method, ``growth`` predicts times. ``advice`` advises by what the images are for, ``article`` judges the claims
of the article.
"""
