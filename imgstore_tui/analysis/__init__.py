"""What measurements mean: no file, no screen, no words but those of a verdict.

``tally`` gathers trials into cells, ``summary`` says what a cell comes to, ``verdict`` who wins, ``inside`` where the
time of one cell went; ``compare`` sets two runs side by side, ``notes`` puts a method's own words beside its numbers.
The article's ``claims`` are judged by ``evidence`` from a run and by ``habits`` from what backends found out
themselves.
"""
