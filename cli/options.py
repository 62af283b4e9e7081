"""What every command takes: which cloud, which store, which output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from shared.errors import ErrorCode, PermanentError, TemporaryError
from shared.request import Duration

if TYPE_CHECKING:
    from cli.composition import Composition
    from cli.session import SessionTransport
    from shared.otc.transport import Transport

STORE_VARIABLE = "DCS_ACCESS_STORE"
EMULATOR = "emulator"
F = TypeVar("F", bound=Callable[..., Any])


class Format(StrEnum):
    """How a result is written to standard output."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class App:
    """The options of one invocation; what costs time to import is imported when it is first needed."""

    os_cloud: str | None = None
    os_region_name: str | None = None
    store: Path | None = None
    output: Format = Format.TABLE
    quiet: bool = False

    def connect(self) -> SessionTransport:
        """Sign in.

        Raises:
            PermanentError: `InvalidRequest` without credentials, or what `cli.session.connect` raises.
        """
        from cli.session import connect  # noqa: PLC0415  # half a second that --help need not pay

        if self.os_cloud is None and not any(name.startswith("OS_") for name in os.environ):
            raise PermanentError(
                ErrorCode.INVALID_REQUEST,
                "No cloud is named and no OS_* variable is set.",
                field="os_cloud",
                advice="Name a cloud of clouds.yaml with --os-cloud, or set OS_AUTH_URL and its kin; "
                "--os-cloud emulator needs `dcs-access emulator serve` only.",
            )
        emulated = (self.os_cloud or os.environ.get("OS_CLOUD")) == EMULATOR
        if emulated and emulator_config().exists():
            os.environ.setdefault("OS_CLIENT_CONFIG_FILE", str(emulator_config()))
        try:
            return connect(self.os_cloud, self.os_region_name)
        except PermanentError as problem:
            if not emulated or problem.data.field not in {"auth_url", "os_cloud"}:
                raise
            said = problem.data
            advice = "Start it with `dcs-access emulator serve`."
            raise PermanentError(problem.code, said.message, field=said.field, advice=advice) from None

    def store_of(self, transport: Transport) -> Path:
        """The folder of a project's queue."""
        return self.store or state_path() / transport.project_id

    @contextmanager
    def compose(self, *, events_on_stdout: bool = False, expirer: str | None = None) -> Iterator[Composition]:
        """Put cloud, engine and handlers together for as long as the block lasts.

        Raises:
            PermanentError: `InvalidRequest`, when the store cannot be opened.
            TemporaryError: `Internal`, when the store fails later.
        """
        # The engine takes a second to import.
        from cli.composition import Composition  # noqa: PLC0415
        from workflow.engines.embedded import STORE_ERRORS  # noqa: PLC0415

        transport = self.connect()
        store = self.store_of(transport)
        unusable: tuple[type[Exception], ...] = (OSError, *STORE_ERRORS)
        try:
            composed = Composition.of(transport, store, events_on_stdout=events_on_stdout, expirer=expirer)
        except unusable as problem:
            message = f"{store} cannot hold the queue: {_reason(problem)}."
            advice = "Give a folder with --store that can be written and is kept."
            raise PermanentError(ErrorCode.INVALID_REQUEST, message, field="store", advice=advice) from None
        try:
            yield composed
        except STORE_ERRORS as problem:
            message = f"The store {store} failed: {_reason(problem)}."
            advice = "Make room or mend the folder; then `dcs-access serve` goes on with what was queued."
            raise TemporaryError(ErrorCode.INTERNAL, message, field="store", advice=advice) from None
        finally:
            composed.engine.close()


def _reason(problem: Exception) -> str:
    # The database layer repeats its statement with all values; only the driver's own words are for people.
    why = getattr(problem, "orig", None) or getattr(problem, "strerror", None) or problem
    return str(why)


def duration(text: str, option: str, shortest: timedelta) -> timedelta:
    """What a person gives as a duration, such as 30m."""
    try:
        given = TypeAdapter(Duration).validate_python(text)
    except ValidationError:
        given = timedelta(0)
    if given < shortest:
        least = f"{shortest.total_seconds():.0f}s"
        message = f"give a number and a unit, such as 30m, of at least {least}"
        raise click.BadParameter(message, param_hint=option)
    return given


def examples(*lines: str) -> str:
    """The end of a command's help; the mark keeps click from re-wrapping it."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def state_path() -> Path:
    """Where queues and the emulator's clouds.yaml are kept."""
    return Path(click.get_app_dir("dcs-access"))


def emulator_config() -> Path:
    """The clouds.yaml of the emulator that was served last."""
    return state_path() / EMULATOR / "clouds.yaml"


def common(command: F) -> F:
    """Give a command the common options and, as its first argument, the `App` they make.

    They may stand before and after the command's name; after wins.
    """

    @click.pass_context
    @wraps(command)
    def with_app(context: click.Context, /, **given: Any) -> Any:
        app = context.find_object(App) or App()
        names = App.__dataclass_fields__.keys() & given.keys()
        changes = {name: given.pop(name) for name in names}
        changed = {name: value for name, value in changes.items() if value}
        changed["output"] = Format(changed.get("output", app.output))
        context.obj = replace(app, **changed)
        return command(context.obj, **given)

    for option in reversed(_OPTIONS):
        with_app = option(with_app)
    return with_app  # type: ignore[return-value]


_OPTIONS = (
    click.option("--os-cloud", metavar="NAME", help="Cloud of clouds.yaml; else OS_CLOUD or OS_* variables."),
    click.option("--os-region-name", metavar="REGION", help="Region, if the cloud does not say."),
    click.option(
        "--store",
        type=click.Path(file_okay=False, path_type=Path),
        envvar=STORE_VARIABLE,
        help=f"Folder of the queue and its runs; one per project by default. [{STORE_VARIABLE}]",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Choice([each.value for each in Format]),
        help="Form of the result; table by default.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="No progress, only the result."),
)
