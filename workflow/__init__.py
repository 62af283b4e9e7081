"""The machines, the language they are written in, and the engines that run them."""
