"""The command line: composes engine, handlers and a cloud session, and shows what happens."""
