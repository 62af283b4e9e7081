"""When a timer trigger fires: rates, and cron expressions with seconds (FunctionGraph manual: timer triggers)."""

from __future__ import annotations

import re
from calendar import day_abbr
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

RATES = {"m": (60.0, 60), "h": (3600.0, 24), "d": (86_400.0, 30)}
UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
# Sunday is 0; `calendar` starts with Monday.
WEEKDAYS = {day_abbr[(number - 1) % 7].upper(): number for number in range(7)}
HORIZON = 5 * 366 * 86_400.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_STAR = frozenset("*?")


@dataclass(frozen=True)
class Every:
    """A fixed period in seconds."""

    seconds: float

    def next_after(self, moment: float) -> float:
        """The next time it fires, given when it was set or fired last."""
        return moment + self.seconds


@dataclass(frozen=True)
class Cron:
    """Six fields of what may be, in a time zone. Day and weekday are alternatives if both are restricted."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    zone: ZoneInfo

    def matches(self, moment: datetime) -> bool:
        """Whether it fires in this second of local time."""
        return (
            self._on(moment)
            and moment.hour in self.hours
            and moment.minute in self.minutes
            and moment.second in self.seconds
        )

    def next_after(self, moment: float) -> float:
        """The first second after a moment that matches: none in a skipped hour, each one of a repeated hour.

        Raises:
            ValueError: it never fires.
        """
        at = float(int(moment) + 1)
        while at < moment + HORIZON:
            local = datetime.fromtimestamp(at, self.zone)
            if not self._on(local):
                at = max(_midnight_after(local), at + 1)
            elif local.hour not in self.hours:
                at += 3600 - local.minute * 60 - local.second
            elif local.minute not in self.minutes:
                at += 60 - local.second
            elif local.second not in self.seconds:
                at += 1
            else:
                return at
        raise ValueError("it never fires")

    def _on(self, moment: datetime) -> bool:
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return moment.month in self.months and (day or weekday if self.either_day else day and weekday)


Schedule = Every | Cron


def schedule(kind: Literal["Rate", "Cron"], text: str) -> Schedule:
    """Read a schedule; it fires at some time.

    Raises:
        ValueError: it is not one that the platform knows.
    """
    if kind == "Rate":
        return _rate(text)
    found = _cron(text)
    found.next_after(0.0)
    return found


def _rate(text: str) -> Every:
    found = re.fullmatch(r"([1-9]\d*)([mhd])", text)
    if not found:
        raise ValueError("a rate is a number and m, h or d")
    seconds, most = RATES[found[2]]
    if int(found[1]) > most:
        raise ValueError(f"at most {most}{found[2]}")
    return Every(int(found[1]) * seconds)


def _cron(text: str) -> Schedule:
    zone = ZoneInfo("UTC")
    if text.startswith("CRON_TZ="):
        name, _, text = text.removeprefix("CRON_TZ=").partition(" ")
        zone = _zone(name)
    text = text.strip()
    if text.startswith("@every "):
        return _every(text.removeprefix("@every ").strip())
    parts = text.split()
    if len(parts) not in (5, 6):
        raise ValueError("a cron expression has the fields second, minute, hour, day, month and weekday, which may go")
    parts = [*parts, "*"][:6]
    seconds, minutes, hours, days, months, weekdays = (
        _field(part, *limits) for part, limits in zip(parts, FIELDS, strict=True)
    )
    either_day = not (_any(parts[3]) or _any(parts[5]))
    return Cron(seconds, minutes, hours, days, months, weekdays, either_day, zone)


def _every(text: str) -> Every:
    pieces = _DURATION.findall(text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        raise ValueError("after @every comes a duration like 1h30m")
    # Less than a second is rounded up to one, and parts of a second are cut off.
    return Every(max(1.0, float(int(sum(float(number) * UNITS[unit] for number, unit in pieces)))))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"there is no time zone {name!r}") from None


def _any(part: str) -> bool:
    return part[0] in _STAR


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    return frozenset(number for part in text.split(",") for number in _range(part, name, low, high))


def _range(part: str, name: str, low: int, high: int) -> range:
    span, slash, step = part.partition("/")
    if span in _STAR and (span != "?" or name in ("day", "weekday")):
        first, last = low, high
    else:
        start, dash, end = span.partition("-")
        first = _number(start, name)
        last = _number(end, name) if dash else high if slash else first
    stride = _number(step, name) if slash else 1
    if not (low <= first <= last <= high and stride > 0):
        raise ValueError(f"{part!r} is not a {name} from {low} to {high}")
    return range(first, last + 1, stride)


def _number(text: str, name: str) -> int:
    if name == "weekday" and text.upper() in WEEKDAYS:
        return WEEKDAYS[text.upper()]
    if not re.fullmatch(r"\d{1,2}", text):
        raise ValueError(f"{text!r} is not a {name}")
    return int(text)


def _midnight_after(local: datetime) -> float:
    tomorrow = local.date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), local.tzinfo).timestamp()
