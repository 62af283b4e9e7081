"""Distributed Cache Service v2: Redis instances."""
