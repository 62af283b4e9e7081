"""Topics, subscriptions and messages on the wire."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from emulator.account import Account
from emulator.core.fields import in_enterprise_project
from emulator.core.message import Answer, Request, created, ok
from emulator.core.problems import ApiError, refusing
from emulator.core.resources import owned, seen
from emulator.core.times import with_z
from emulator.smn.bodies import (
    ADDRESSES,
    AttributeBody,
    AttributeQuery,
    LinkQuery,
    PageQuery,
    Policy,
    PublishBody,
    SubscribeBody,
    SubscriptionBody,
    TopicBody,
    TopicChange,
    TopicQuery,
)
from emulator.smn.errors import SmnErrors, bad_token, smn, subscription_not_found, topic_not_found
from emulator.smn.models import Subscription, Topic

ERRORS = SmnErrors()
MAX_TOPICS, MAX_SUBSCRIPTIONS = 3000, 10_000
# The attributes and how many bytes each may have.
ATTRIBUTES = {"access_policy": 30 * 1024, "introduction": 120}


def create_topic(account: Account, project_id: str, body: TopicBody) -> Answer:
    """SMN API: creating a topic; asking again for the same gives the same."""
    topics = owned(account.smn.state.topics, project_id)
    existing = next((topic for topic in topics if topic.name == body.name), None)
    if existing:
        return ok({"topic_urn": account.smn.topic_urn(existing)})
    if len(topics) >= MAX_TOPICS:
        raise smn(403, "SMN.0004", "Exceeded topic limit.")
    topic = account.smn.create_topic(project_id, body.name, body.display_name)
    return created({"topic_urn": account.smn.topic_urn(topic)})


def list_topics(account: Account, project_id: str, query: TopicQuery) -> Answer:
    """SMN API: querying topics; newest first, the count is of all of them."""
    found = [
        topic
        for topic in owned(account.smn.state.topics, project_id)
        if query.topic_id in (None, topic.id)
        and query.name in (None, topic.name)
        and in_enterprise_project(query.enterprise_project_id)
        and (query.fuzzy_name or "") in topic.name
    ]
    found = seen(found, account.now())[::-1]
    page = found[query.offset : query.offset + query.limit]
    return ok({"topic_count": len(found), "topics": [_topic(account, topic) for topic in page]})


def show_topic(account: Account, project_id: str, topic_urn: str) -> Answer:
    """SMN API: querying details of a topic."""
    visible = seen([find_topic(account, project_id, topic_urn)], account.now())
    with refusing(smn):
        if not visible:
            raise topic_not_found()
    return ok(_topic(account, visible[0]))


def update_topic(account: Account, project_id: str, topic_urn: str, body: TopicChange) -> Answer:
    """SMN API: updating a topic."""
    topic = find_topic(account, project_id, topic_urn)
    topic.display_name = body.display_name
    account.touch(topic)
    return ok({})


def delete_topic(account: Account, project_id: str, topic_urn: str) -> Answer:
    """SMN API: deleting a topic."""
    account.smn.delete_topic(find_topic(account, project_id, topic_urn))
    return ok({})


def show_attributes(account: Account, project_id: str, topic_urn: str, query: AttributeQuery) -> Answer:
    """SMN API: querying a topic policy."""
    topic = find_topic(account, project_id, topic_urn)
    if query.name is not None:
        _check_attribute(query.name)
    attributes = {name: value for name, value in topic.attributes.items() if query.name in (None, name)}
    return ok({"attributes": attributes})


def put_attribute(account: Account, project_id: str, topic_urn: str, name: str, body: AttributeBody) -> Answer:
    """SMN API: updating a topic policy; what a policy allows others is not enforced, as there is one account."""
    topic = find_topic(account, project_id, topic_urn)
    _check_attribute(name)
    if len(body.value.encode()) > ATTRIBUTES[name]:
        raise smn(403, "SMN.0047", "Parameter: Value exceeds the maximum length.")
    if name == "access_policy":
        _check_policy(body.value)
    topic.attributes[name] = body.value
    account.touch(topic)
    return ok({})


def delete_attribute(account: Account, project_id: str, topic_urn: str, name: str) -> Answer:
    """SMN API: deleting a specified topic policy."""
    topic = find_topic(account, project_id, topic_urn)
    _check_attribute(name)
    topic.attributes.pop(name, None)
    return ok({})


def delete_attributes(account: Account, project_id: str, topic_urn: str) -> Answer:
    """SMN API: deleting all topic policies."""
    find_topic(account, project_id, topic_urn).attributes.clear()
    return ok({})


def publish(account: Account, project_id: str, topic_urn: str, body: PublishBody) -> Answer:
    """SMN API: publishing messages in the text format; also as a structure of texts by protocol.

    Assumed: there are no templates, so that naming one is a 404; endpoints that cannot be reached are tried again after
    the dial `push_retry_seconds`; HTTP messages are not signed.
    """
    find_topic(account, project_id, topic_urn)
    structure = body.structure
    if structure is None and body.message_template_name is not None:
        raise smn(404, "SMN.0027", "Template not found.")
    text = structure["default"] if structure else body.message
    if text is None:
        raise ERRORS.invalid("message", "one content is needed")
    with refusing(smn):
        message_id = account.smn.publish(topic_urn, body.subject, text, structure=structure, ttl=int(body.time_to_live))
    return ok({"message_id": message_id})


def subscribe(account: Account, request: Request, project_id: str, topic_urn: str, body: SubscribeBody) -> Answer:
    """SMN API: adding a subscription; or up to fifty, one that exists already is answered with 200.

    Assumed: changing subscriptions takes the permission to update the topic; how several are answered. Endpoints on
    this machine, which the cloud refuses, are the only ones that get anything.
    """
    topic = find_topic(account, project_id, topic_urn)
    wanted = body.subscriptions or [_single(body)]
    for one in wanted:
        if not ADDRESSES[one.protocol].fullmatch(one.endpoint):
            raise ERRORS.invalid("endpoint", f"is not one for {one.protocol}")
    if len(account.smn.subscriptions(topic)) + len(wanted) > MAX_SUBSCRIPTIONS:
        raise smn(403, "SMN.0007", "Exceeded subscription limit.")
    results = [_subscribed(account, topic, one, request.base) for one in wanted]
    answer = created if any(new for _, new in results) else ok
    if body.subscriptions is None:
        return answer({"subscription_urn": results[0][0]})
    pairs = zip(wanted, results, strict=True)
    return answer(
        {"subscriptions_result": [{"endpoint": one.endpoint, "subscription_urn": urn} for one, (urn, _) in pairs]}
    )


def list_subscriptions(account: Account, project_id: str, query: PageQuery) -> Answer:
    """SMN API: querying subscriptions."""
    return _subscriptions(account, owned(account.smn.state.subscriptions, project_id), query)


def list_topic_subscriptions(account: Account, project_id: str, topic_urn: str, query: PageQuery) -> Answer:
    """SMN API: querying subscriptions of a specified topic."""
    return _subscriptions(account, account.smn.subscriptions(find_topic(account, project_id, topic_urn)), query)


def unsubscribe(account: Account, project_id: str, subscription_urn: str) -> Answer:
    """SMN API: deleting a subscription."""
    subscription = account.smn.subscription(subscription_urn)
    with refusing(smn):
        if subscription is None or subscription.project_id != project_id:
            raise subscription_not_found()
    account.smn.unsubscribe(subscription_urn)
    return ok({})


def follow_confirmation(account: Account, query: LinkQuery) -> Answer:
    """The link in the message that asks for confirmation; who follows it needs no token.

    Assumed: its address and what it answers.
    """
    subscription = account.smn.confirm(query.token)
    if subscription is None:
        raise bad_token()
    return ok({"subscription_urn": account.smn.subscription_urn(subscription), "message": "Subscription confirmed."})


def follow_cancellation(account: Account, query: LinkQuery) -> Answer:
    """The link in every message that ends its subscription; who follows it needs no token.

    Assumed: its address and what it answers.
    """
    subscription = account.smn.subscription(query.subscription_urn)
    with refusing(smn):
        if subscription is None or subscription.protocol == "functionstage":
            raise subscription_not_found()
    account.smn.cancel(subscription)
    return ok({"subscription_urn": query.subscription_urn, "message": "Subscription canceled."})


def find_topic(account: Account, project_id: str, topic_urn: str) -> Topic:
    """The topic of the project."""
    with refusing(smn):
        topic = account.smn.topic(topic_urn)
    if topic.project_id != project_id:
        raise ERRORS.wrong_project()
    return topic


def _single(body: SubscribeBody) -> SubscriptionBody:
    if body.protocol is None or body.endpoint is None:
        raise ERRORS.invalid("protocol" if body.protocol is None else "endpoint", "is missing")
    return SubscriptionBody(
        protocol=body.protocol, endpoint=body.endpoint, remark=body.remark, extension=body.extension
    )


def _subscribed(account: Account, topic: Topic, one: SubscriptionBody, base: str) -> tuple[str, bool]:
    existing = account.smn.find_subscription(topic, one.protocol, one.endpoint)
    made = existing or account.smn.subscribe(
        topic, one.protocol, one.endpoint, remark=one.remark, header=one.extension.header, base=base
    )
    return account.smn.subscription_urn(made), existing is None


def _subscriptions(account: Account, found: list[Subscription], query: PageQuery) -> Answer:
    found = seen(found, account.now())
    page = found[query.offset : query.offset + query.limit]
    return ok({"subscription_count": len(found), "subscriptions": [_subscription(account, one) for one in page]})


def _subscription(account: Account, one: Subscription) -> dict[str, Any]:
    return {
        "topic_urn": account.smn.topic_urn(account.smn.state.topics[one.topic_id]),
        "protocol": one.protocol,
        "subscription_urn": account.smn.subscription_urn(one),
        "owner": one.project_id,
        "endpoint": one.endpoint,
        "remark": one.remark,
        "status": one.status,
    }


def _topic(account: Account, topic: Topic) -> dict[str, Any]:
    return {
        "topic_urn": account.smn.topic_urn(topic),
        "topic_id": topic.id,
        "name": topic.name,
        "display_name": topic.display_name,
        "push_policy": topic.push_policy,
        "enterprise_project_id": "0",
        "create_time": with_z(topic.created_at),
        "update_time": with_z(topic.updated_at),
    }


def _check_attribute(name: str) -> None:
    if name not in ATTRIBUTES:
        raise smn(400, "SMN.0046", "Parameter: Attribute name is invalid.")


def _check_policy(text: str) -> None:
    try:
        Policy.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise _bad_policy(str(next(iter(first["loc"]), "statement")), first["msg"]) from None
    except ValueError:
        raise smn(400, "SMN.0048", "Parameter: Access policy is invalid.") from None


def _bad_policy(where: str, why: str) -> ApiError:
    code = {"Version": "SMN.0049", "Id": "SMN.0050"}.get(where, "SMN.0051")
    return smn(400, code, f"Parameter: Access policy {where} is invalid. {why}")
