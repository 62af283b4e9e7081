"""FunctionGraph v2."""
