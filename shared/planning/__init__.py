"""Decide what an exposure needs and whether it is safe, before anything is created."""
