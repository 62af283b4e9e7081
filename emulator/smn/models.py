"""Topics, subscriptions and messages on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from emulator.core.resources import HexId, Table, find
from emulator.core.state import State

if TYPE_CHECKING:
    from emulator.world import World

Protocol = Literal["http", "https", "email", "sms", "functionstage"]
Status = Literal[0, 1, 3]
UNCONFIRMED: Status = 0
CONFIRMED: Status = 1
CANCELLED: Status = 3


class Topic(HexId):
    """A topic; its name is unique in the project and part of its URN."""

    kind: ClassVar[str] = "topic"

    display_name: str = ""
    push_policy: Literal[0, 1] = 0
    attributes: dict[str, str] = {}


class Subscription(HexId):
    """Who gets the messages of a topic; `base` is the root of the links in its messages, else the cloud's own host."""

    kind: ClassVar[str] = "subscription"
    id_from: ClassVar[tuple[str, ...]] = ("topic_id", "protocol", "endpoint")

    topic_id: str
    protocol: Protocol
    endpoint: str
    remark: str = ""
    header: dict[str, str] = {}
    status: Status = CONFIRMED
    token: str = ""
    token_until: float = 0.0
    base: str = ""


class Delivery(HexId):
    """One message for one endpoint; `tries` have failed so far, the next is `due`, none after `until`."""

    kind: ClassVar[str] = "delivery"

    protocol: Protocol
    endpoint: str
    header: dict[str, str] = {}
    body: dict[str, str]
    keep: bool = True
    tries: int = 0
    due: float = 0.0
    until: float = 0.0
    problem: str = ""


class SmnState(State):
    """What SMN keeps; `deliveries` are those that have not arrived yet."""

    topics: Table[Topic] = {}
    subscriptions: Table[Subscription] = {}
    deliveries: Table[Delivery] = {}

    def resolve(self, world: World) -> None:  # noqa: ARG002  # a function may be deployed later
        """Turn names into ids, refuse what cannot exist."""
        names = [(topic.project_id, topic.name) for topic in self.topics.values()]
        if len(set(names)) != len(names):
            raise ValueError("smn.topics: a name is used twice")
        for subscription in self.subscriptions.values():
            where = f"smn.subscriptions[{subscription.endpoint}].topic_id"
            topic = find(self.topics, subscription.topic_id, where)
            subscription.topic_id, subscription.project_id = topic.id, topic.project_id
