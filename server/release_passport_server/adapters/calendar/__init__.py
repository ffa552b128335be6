"""Freezes by RFC 5545 recurrence rules."""
