"""Pure statistics on floats: intervals, ratios, rankings, warnings."""
