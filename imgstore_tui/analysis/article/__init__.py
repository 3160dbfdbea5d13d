"""The article's claims, and what a run says for or against each."""
