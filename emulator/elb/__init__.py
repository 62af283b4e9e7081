"""Elastic Load Balance v3."""
