"""Drawings of machines, alone or with a run over them."""
