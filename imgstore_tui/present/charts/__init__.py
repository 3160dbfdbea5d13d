"""Builds figures of a run and draws them: as terminal text, as SVG, with matplotlib."""
