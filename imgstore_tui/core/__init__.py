"""The vocabulary and the contracts of the house: standard library and numpy, no input or output."""
