"""Typed clients for the Open Telekom Cloud services that an exposure touches."""
