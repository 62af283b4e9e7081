"""One module per FunctionGraph handler: parse, call, return."""
