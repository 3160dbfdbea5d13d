"""Defines what crosses between supervisor and child: requests, outcomes, shared progress."""
