"""What crosses the line between supervisor and child: requests, outcomes, shared progress."""
