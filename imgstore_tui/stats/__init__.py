"""Pure statistics on floats: the interval of a median, ratios and rankings, signs of noise; nothing of storage."""
