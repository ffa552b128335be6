"""The one way by which this server calls others: guarded against being sent elsewhere, and bounded."""
