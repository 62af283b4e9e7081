"""FunctionGraph: functions, what triggers them, and the queue of their asynchronous invocations."""
