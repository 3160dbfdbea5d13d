"""Recipes, one server a file: each is found because it is here."""
