"""What starts functions: messages of a topic, traces, and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from emulator.core.problems import Refusal
from emulator.functiongraph.models import FunctionGraphState, Trigger, TriggerType
from emulator.functiongraph.timer import Schedule, schedule
from emulator.functiongraph.urns import LATEST, Urn

if TYPE_CHECKING:
    from emulator.account import Account

MAX_TRIGGERS = 10
MAX_OPERATIONS = 100


class Triggers:
    """The rules of triggers. All of them raise `Refusal` where a rule is in the way."""

    def __init__(self, account: Account) -> None:
        self._account = account

    @property
    def _state(self) -> FunctionGraphState:
        return self._account.world.functiongraph

    def resume(self) -> None:
        """Set the timers of a saved world; what they missed meanwhile is not made up for."""
        for trigger in self._state.triggers.values():
            if trigger.type == "TIMER" and trigger.status == "ACTIVE":
                if trigger.due_at is None or trigger.due_at <= self._account.now():
                    trigger.due_at = _schedule(trigger.event_data).next_after(self._account.now())
                self._set(trigger)

    def of(self, urn: str) -> list[Trigger]:
        """The triggers of one version or alias, oldest first."""
        return [one for one in self._state.triggers.values() if one.function_urn == urn]

    def create(self, urn: Urn, kind: TriggerType, status: str, event_data: dict[str, Any]) -> Trigger:
        """Bind a trigger to a version or alias.

        Raises:
            Refusal: the data, a twin, or too many triggers are in the way.
        """
        bound = str(urn.of(urn.qualifier or LATEST))
        others = self.of(bound)
        if len(others) >= MAX_TRIGGERS:
            raise Refusal(400, "FSS.1306", "The number of triggers exceeds the maximum allowed limit.")
        check = {"SMN": _check_topic, "TIMER": _check_timer, "CTS": _check_traces}[kind]
        check(event_data, [one.event_data for one in others if one.type == kind])
        if status == "DISABLED" and kind != "TIMER":
            raise Refusal(400, "FSS.1318", "Invalid trigger operation: only timers can be disabled.")
        subscription = self._subscribe(event_data["topic_urn"], bound) if kind == "SMN" else ""
        trigger = self._account.add(
            self._state.triggers,
            Trigger,
            "functiongraph",
            urn.project_id,
            function_urn=bound,
            type=kind,
            status=status,
            event_data=event_data,
            subscription_urn=subscription,
        )
        self._arm(trigger)
        return trigger

    def find(self, urn: Urn, kind: str, trigger_id: str) -> Trigger:
        """A trigger of a version or alias.

        Raises:
            Refusal: there is none.
        """
        trigger = self._state.triggers.get(trigger_id)
        wanted = str(urn.of(urn.qualifier or LATEST))
        if trigger is None or trigger.function_urn != wanted or trigger.type != kind:
            raise Refusal(404, "FSS.1131", "The trigger does not exist.")
        return trigger

    def set_status(self, trigger: Trigger, status: Literal["ACTIVE", "DISABLED"]) -> None:
        """Enable or disable a timer.

        Raises:
            Refusal: the others cannot be disabled.
        """
        if trigger.type != "TIMER" and status == "DISABLED":
            raise Refusal(400, "FSS.1318", "Invalid trigger operation: only timers can be disabled.")
        if trigger.status == status:
            return
        trigger.status = status
        self._account.touch(trigger)
        self._arm(trigger)

    def delete(self, trigger: Trigger) -> None:
        """Delete a trigger, with the subscription that came with it."""
        if trigger.subscription_urn:
            self._account.smn.unsubscribe(trigger.subscription_urn)
        del self._state.triggers[trigger.id]

    def delete_all(self, urn: str) -> None:
        """Delete the triggers of one version or alias."""
        for trigger in self.of(urn):
            self.delete(trigger)

    def _subscribe(self, topic_urn: str, function_urn: str) -> str:
        try:
            return self._account.smn.subscribe_function(topic_urn, function_urn)
        except Refusal:
            raise Refusal(404, "FSS.1171", "The SMN topic does not exist. Create one on the SMN console.") from None

    def _arm(self, trigger: Trigger) -> None:
        if trigger.type != "TIMER" or trigger.status != "ACTIVE":
            trigger.due_at = None
            return
        trigger.due_at = _schedule(trigger.event_data).next_after(self._account.now())
        self._set(trigger)

    def _set(self, trigger: Trigger) -> None:
        due_at = trigger.due_at
        self._account.outbox.put(lambda: self._fire(trigger.id, due_at), due_at)

    def _fire(self, trigger_id: str, due_at: float | None) -> None:
        with self._account.lock:
            trigger = self._state.triggers.get(trigger_id)
            # Deleted, disabled or set anew since: the time was for what is no more.
            if trigger is None or due_at is None or trigger.due_at != due_at:
                return
            event = timer_event(trigger.event_data, due_at)
            self._account.functiongraph.invoke_async(trigger.function_urn, event, source="TIMER")
            trigger.due_at = _schedule(trigger.event_data).next_after(due_at)
            self._set(trigger)


def timer_event(event_data: Mapping[str, Any], at: float) -> dict[str, Any]:
    """What a timer hands over (FunctionGraph manual: example events)."""
    return {
        "version": "v1.0",
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds"),
        "trigger_type": "TIMER",
        "trigger_name": event_data["name"],
        "user_event": event_data.get("user_event", ""),
    }


def _schedule(event_data: Mapping[str, Any]) -> Schedule:
    return schedule(event_data["schedule_type"], event_data["schedule"])


def _check_topic(data: Mapping[str, Any], others: list[dict[str, Any]]) -> None:
    _check_fields(data, {"topic_urn"}, set(), "FSS.1102", "Invalid SMN trigger parameters")
    if any(other["topic_urn"] == data["topic_urn"] for other in others):
        raise Refusal(409, "FSS.1141", "The SMN trigger already exists.")


def _check_timer(data: Mapping[str, Any], others: list[dict[str, Any]]) -> None:
    wrong = "Invalid timer trigger parameters"
    _check_fields(data, {"name", "schedule_type", "schedule"}, {"user_event"}, "FSS.1109", wrong)
    _check_name(data["name"])
    if data["schedule_type"] not in ("Rate", "Cron"):
        raise Refusal(400, "FSS.1109", f"{wrong}: schedule_type is Rate or Cron.")
    try:
        _schedule(data)
    except ValueError as error:
        raise Refusal(400, "FSS.1109", f"{wrong}: schedule: {error}.") from None
    if any(other["name"] == data["name"] for other in others):
        raise Refusal(409, "FSS.1148", "The timer trigger already exists.")


def _check_traces(data: Mapping[str, Any], others: list[dict[str, Any]]) -> None:
    if not data.get("name"):
        raise Refusal(400, "FSS.1312", "The notification name must be specified.")
    if not data.get("operations"):
        raise Refusal(400, "FSS.1314", "The operation resource must be specified.")
    operations = data["operations"]
    if set(data) != {"name", "operations"} or not isinstance(data["name"], str) or not isinstance(operations, list):
        raise Refusal(400, "FSS.0400", "Invalid parameter event_data: a name and a list of operations are wanted.")
    _check_name(data["name"])
    if any(other["name"] == data["name"] for other in others):
        raise Refusal(400, "FSS.1307", "The trigger name already exists.")
    selected = Counter(one for text in operations for one in traced(text))
    if selected.total() > MAX_OPERATIONS:
        raise Refusal(400, "FSS.1313", "The number of operation resources has reached the maximum allowed limit.")
    if selected and selected.most_common(1)[0][1] > 1:
        raise Refusal(400, "FSS.1316", "The resource operation has already been selected.")


def traced(text: Any) -> list[tuple[str, str, str]]:
    """Service, resource type and operation of everything that `SERVICE:type1;type2:op1;op2` selects.

    Raises:
        Refusal: it has another form.
    """
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 3 or not all(item for part in parts for item in part.split(";")):
        raise Refusal(400, "FSS.1318", "Invalid trigger operation: it is SERVICE:types:operations.")
    service, kinds, names = parts
    return [(service, kind, name) for kind in kinds.split(";") for name in names.split(";")]


def _check_fields(data: Mapping[str, Any], needed: set[str], optional: set[str], code: str, wrong: str) -> None:
    unknown, missing = set(data) - needed - optional, needed - set(data)
    if unknown or missing or not all(isinstance(data[key], str) for key in data):
        raise Refusal(400, code, f"{wrong}: {', '.join(sorted(needed))} are texts and wanted, not {sorted(unknown)}.")


def _check_name(name: str) -> None:
    if len(name) > 64:
        raise Refusal(400, "FSS.1317", "The trigger name is too long.")
