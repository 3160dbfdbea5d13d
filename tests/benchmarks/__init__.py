"""Commands that print figures; no test asserts a time. Each says what it did and how often."""
