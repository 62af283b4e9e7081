"""The command that shows all of it on this machine."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=18080,
    show_default=True,
    help="Public port; below 1024 needs root.",
)
@click.option(
    "--serverless", is_flag=True, help="Deploy it to the emulated cloud, and ask by messages; nothing else works here."
)
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def demo(port: int, *, serverless: bool, quiet: bool) -> None:
    """Show all of it on this machine, without an account.

    An emulated instance, served by a real Redis, is exposed, used from outside, and withdrawn.
    """
    from cli.demonstration import demonstrate  # noqa: PLC0415  # the emulator is slow to import

    raise SystemExit(demonstrate(port, serverless=serverless, quiet=quiet))
