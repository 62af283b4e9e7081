"""Messages on their way to endpoints outside the cloud."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.smn.models import Delivery, Subscription
from emulator.smn.push import UndeliverableError, push

if TYPE_CHECKING:
    from emulator.account import Account

LOG = logging.getLogger(__name__)
MORE_TRIES = 6
MAX_FINISHED = 1000


class Outgoing:
    """Pushes messages to HTTP endpoints; mails and text messages only go as far as `finished`."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.finished: deque[Delivery] = deque(maxlen=MAX_FINISHED)
        self._under_way: set[str] = set()
        self._sent = 0
        for delivery in account.world.smn.deliveries.values():
            self._schedule(delivery)

    def send(self, subscription: Subscription, body: Mapping[str, str], *, keep: bool, ttl: int) -> None:
        """Send a message to an endpoint; one that fails is tried again unless `keep` says no."""
        delivery = Delivery(
            id=self._account.new_id(Delivery),
            protocol=subscription.protocol,
            endpoint=subscription.endpoint,
            header=subscription.header,
            body=dict(body),
            keep=keep,
            due=self._account.now(),
            until=self._account.now() + ttl,
        )
        if delivery.protocol in ("email", "sms"):
            self.finished.append(delivery)
            return
        for copy in self._spoiled(delivery):
            self._waiting[copy.id] = copy
            self._schedule(copy)

    def messages(self) -> list[dict[str, Any]]:
        """The messages that arrived, were dropped or wait to be tried again, as plain JSON, oldest first."""
        return [
            {
                "state": "waiting" if one.id in self._waiting else "dropped" if one.problem else "arrived",
                **one.model_dump(mode="json", include={"protocol", "endpoint", "tries", "problem", "body"}),
            }
            for one in (*self.finished, *self._waiting.values())
        ]

    @property
    def _waiting(self) -> dict[str, Delivery]:
        return self._account.world.smn.deliveries

    def _spoiled(self, delivery: Delivery) -> list[Delivery]:
        dial = self._account.dials.pushes
        self._sent += 1
        if dial.late_every and self._sent % dial.late_every == 0:
            delivery.due += dial.late_seconds
        if dial.duplicate_every and self._sent % dial.duplicate_every == 0:
            return [delivery, delivery.model_copy(update={"id": self._account.new_id(Delivery)})]
        return [delivery]

    def _schedule(self, delivery: Delivery) -> None:
        self._account.outbox.put(self._deliver, delivery.due)

    def _deliver(self) -> None:
        with self._account.lock:
            delivery = self._next()
        if delivery:
            self._try(delivery)

    def _next(self) -> Delivery | None:
        now = self._account.now()
        due = [one for one in self._waiting.values() if one.due <= now and one.id not in self._under_way]
        if not due:
            return None
        chosen = due[-1 if self._account.dials.pushes.order == "newest" else 0]
        self._under_way.add(chosen.id)
        return chosen

    def _try(self, delivery: Delivery) -> None:
        final = False
        try:
            problem = push(delivery.endpoint, _headers(delivery), delivery.body)
        except UndeliverableError as error:
            problem, final = str(error), True
        with self._account.lock:
            self._note(delivery, problem, final=final)

    def _note(self, delivery: Delivery, problem: str, *, final: bool) -> None:
        delivery.problem = problem
        self._under_way.discard(delivery.id)
        if problem and not final and self._again(delivery):
            self._schedule(delivery)
            return
        if problem:
            LOG.warning("message %s to %s was dropped: %s", delivery.body["message_id"], delivery.endpoint, problem)
        self._waiting.pop(delivery.id, None)
        self.finished.append(delivery)

    def _again(self, delivery: Delivery) -> bool:
        delivery.tries += 1
        delivery.due = self._account.now() + self._account.dials.push_retry_seconds
        return delivery.keep and delivery.tries <= MORE_TRIES and delivery.due <= delivery.until


def _headers(delivery: Delivery) -> dict[str, str]:
    return {
        **delivery.header,
        "X-SMN-MESSAGE-TYPE": delivery.body["type"],
        "X-SMN-MESSAGE-ID": delivery.body["message_id"],
        "X-SMN-TOPIC-URN": delivery.body["topic_urn"],
    }
