"""What comes in from outside: messages, traces, timers and failures, read leniently and judged strictly."""
