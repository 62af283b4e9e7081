"""The life of topics and subscriptions, and what they make of a message."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from emulator.core.problems import Refusal
from emulator.core.resources import owned
from emulator.core.times import with_z
from emulator.smn.errors import topic_not_found
from emulator.smn.messages import confirmation, function_event, notification, unsubscription
from emulator.smn.models import CANCELLED, CONFIRMED, UNCONFIRMED, Delivery, Protocol, SmnState, Subscription, Topic
from emulator.smn.outgoing import Outgoing

if TYPE_CHECKING:
    from emulator.account import Account

LOG = logging.getLogger(__name__)
CONFIRM_WITHIN = 48 * 3600.0
DEFAULT_TTL = 3600


class SmnBackend:
    """Topics, their subscriptions and the messages published to them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.outgoing = Outgoing(account)

    @property
    def state(self) -> SmnState:
        """The tables."""
        return self._account.world.smn

    def topic_urn(self, topic: Topic) -> str:
        """The URN of a topic."""
        return f"urn:smn:{self._account.world.region}:{topic.project_id}:{topic.name}"

    def subscription_urn(self, subscription: Subscription) -> str:
        """The URN of a subscription."""
        return f"{self.topic_urn(self.state.topics[subscription.topic_id])}:{subscription.id}"

    def topic(self, topic_urn: str) -> Topic:
        """The topic of this URN.

        Raises:
            Refusal: there is none.
        """
        topic = next((one for one in self.state.topics.values() if self.topic_urn(one) == topic_urn), None)
        if topic is None:
            raise topic_not_found()
        return topic

    def subscription(self, subscription_urn: str) -> Subscription | None:
        """The subscription of this URN."""
        subscription = self.state.subscriptions.get(subscription_urn.rsplit(":", 1)[-1])
        return subscription if subscription and self.subscription_urn(subscription) == subscription_urn else None

    def subscriptions(self, topic: Topic) -> list[Subscription]:
        """The subscriptions of a topic, oldest first."""
        return [one for one in owned(self.state.subscriptions, topic.project_id) if one.topic_id == topic.id]

    def create_topic(self, project_id: str, name: str, display_name: str) -> Topic:
        """Make a topic; its name must be free."""
        return self._account.add(self.state.topics, Topic, "smn", project_id, name=name, display_name=display_name)

    def delete_topic(self, topic: Topic) -> None:
        """Delete a topic with its subscriptions; what is on its way arrives."""
        for subscription in self.subscriptions(topic):
            del self.state.subscriptions[subscription.id]
        del self.state.topics[topic.id]

    def find_subscription(self, topic: Topic, protocol: Protocol, endpoint: str) -> Subscription | None:
        """The subscription that the endpoint has already."""
        same = (one for one in self.subscriptions(topic) if (one.protocol, one.endpoint) == (protocol, endpoint))
        return next(same, None)

    def subscribe(
        self,
        topic: Topic,
        protocol: Protocol,
        endpoint: str,
        *,
        remark: str = "",
        header: Mapping[str, str] | None = None,
        base: str = "",
    ) -> Subscription:
        """Subscribe an endpoint; all but functions must confirm, with a link that starts with `base`."""
        subscription = self._account.add(
            self.state.subscriptions,
            Subscription,
            "smn",
            topic.project_id,
            topic_id=topic.id,
            protocol=protocol,
            endpoint=endpoint,
            remark=remark,
            header=dict(header or {}),
            base=base,
        )
        if protocol != "functionstage":
            self._ask(topic, subscription)
        return subscription

    def subscribe_function(self, topic_urn: str, function_urn: str) -> str:
        """Have a function invoked for each message, as creating its SMN trigger does.

        Returns:
            The URN of the subscription, also of one that exists already.

        Raises:
            Refusal: no such topic.
        """
        topic = self.topic(topic_urn)
        found = self.find_subscription(topic, "functionstage", function_urn)
        return self.subscription_urn(found or self.subscribe(topic, "functionstage", function_urn))

    def confirm(self, token: str) -> Subscription | None:
        """The subscription that a link confirms; None if the link is unknown or too old."""
        now = self._account.now()
        for subscription in self.state.subscriptions.values():
            if token and subscription.token == token and now <= subscription.token_until:
                subscription.status = CONFIRMED
                self._account.touch(subscription)
                return subscription
        return None

    def cancel(self, subscription: Subscription) -> None:
        """Follow the link that ends a subscription: it stays, and can be confirmed again."""
        subscription.status = CANCELLED
        topic = self.state.topics[subscription.topic_id]
        self._renew(subscription)
        self._send(topic, subscription, unsubscription(self.topic_urn(topic), self._confirm_url(topic, subscription)))

    def unsubscribe(self, subscription_urn: str) -> bool:
        """Delete a subscription.

        Returns:
            Whether there was one.
        """
        subscription = self.subscription(subscription_urn)
        if subscription is None:
            return False
        if subscription.protocol != "functionstage" and subscription.status == CONFIRMED:
            self.cancel(subscription)
        del self.state.subscriptions[subscription.id]
        return True

    def publish(
        self,
        topic_urn: str,
        subject: str,
        message: str,
        *,
        structure: Mapping[str, str] | None = None,
        ttl: int = DEFAULT_TTL,
    ) -> str:
        """Send a message to everybody who confirmed; `structure` has other texts for some protocols.

        Returns:
            The id of the message.

        Raises:
            Refusal: no such topic.
        """
        topic = self.topic(topic_urn)
        message_id = self._account.new_id(Delivery)
        for subscription in self.subscriptions(topic):
            if subscription.status != CONFIRMED:
                continue
            text = (structure or {}).get(subscription.protocol, message)
            if subscription.protocol == "functionstage":
                self._invoke(topic, subscription, message_id, subject, text)
            else:
                body = notification(topic_urn, subject, text, self._unsubscribe_url(subscription))
                self._send(topic, subscription, body, message_id=message_id, ttl=ttl)
        return message_id

    def _invoke(self, topic: Topic, subscription: Subscription, message_id: str, subject: str, text: str) -> None:
        event = function_event(
            subscription.endpoint,
            self.topic_urn(topic),
            message_id=message_id,
            subject=subject,
            text=text,
            now=self._account.now(),
        )
        try:
            self._account.functiongraph.invoke_async(subscription.endpoint, event, source="SMN")
        except Refusal as refusal:
            LOG.warning("message %s did not get to %s: %s", message_id, subscription.endpoint, refusal.message)

    def _send(
        self,
        topic: Topic,
        subscription: Subscription,
        body: Mapping[str, str],
        *,
        message_id: str = "",
        ttl: int = DEFAULT_TTL,
    ) -> None:
        number = message_id or self._account.new_id(Delivery)
        whole = {**body, "message_id": number, "timestamp": with_z(self._account.now())}
        self.outgoing.send(subscription, whole, keep=topic.push_policy == 0, ttl=ttl)

    def _ask(self, topic: Topic, subscription: Subscription) -> None:
        subscription.status = UNCONFIRMED
        self._renew(subscription)
        self._send(topic, subscription, confirmation(self.topic_urn(topic), self._confirm_url(topic, subscription)))

    def _renew(self, subscription: Subscription) -> None:
        subscription.token = self._account.new_id(Subscription)
        subscription.token_until = self._account.now() + CONFIRM_WITHIN

    def _confirm_url(self, topic: Topic, subscription: Subscription) -> str:
        query = {"token": subscription.token, "topic_urn": self.topic_urn(topic)}
        return f"{self._root(subscription)}/confirm?{urlencode(query)}"

    def _unsubscribe_url(self, subscription: Subscription) -> str:
        query = {"subscription_urn": self.subscription_urn(subscription)}
        return f"{self._root(subscription)}/unsubscribe?{urlencode(query)}"

    def _root(self, subscription: Subscription) -> str:
        base = subscription.base or f"https://smn.{self._account.world.region}.otc.t-systems.com"
        return f"{base}/smn/subscription"
