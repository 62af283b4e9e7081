"""What SMN serves.

Open Telekom Cloud has five actions for all of it; changes of subscriptions count as changes of the topic.
"""

from __future__ import annotations

from emulator.core.routing import Route, Service
from emulator.smn.errors import SmnErrors
from emulator.smn.responses import (
    create_topic,
    delete_attribute,
    delete_attributes,
    delete_topic,
    follow_cancellation,
    follow_confirmation,
    list_subscriptions,
    list_topic_subscriptions,
    list_topics,
    publish,
    put_attribute,
    show_attributes,
    show_topic,
    subscribe,
    unsubscribe,
    update_topic,
)

SMN = Service("smn", SmnErrors(), request_id_in_body=True)
ROOT = "/v2/{project_id}/notifications"
ALL = ROOT + "/topics"
TOPIC = ALL + "/{topic_urn}"
SUBSCRIPTION = ROOT + "/subscriptions"

ROUTES = (
    Route(SMN, "POST", ALL, create_topic, "smn:topic:create"),
    Route(SMN, "GET", ALL, list_topics, "smn:topic:list"),
    Route(SMN, "GET", TOPIC, show_topic, "smn:topic:list"),
    Route(SMN, "PUT", TOPIC, update_topic, "smn:topic:update"),
    Route(SMN, "DELETE", TOPIC, delete_topic, "smn:topic:delete"),
    Route(SMN, "GET", TOPIC + "/attributes", show_attributes, "smn:topic:list"),
    Route(SMN, "PUT", TOPIC + "/attributes/{name}", put_attribute, "smn:topic:update"),
    Route(SMN, "DELETE", TOPIC + "/attributes/{name}", delete_attribute, "smn:topic:update"),
    Route(SMN, "DELETE", TOPIC + "/attributes", delete_attributes, "smn:topic:update"),
    Route(SMN, "POST", TOPIC + "/publish", publish, "smn:topic:publish"),
    Route(SMN, "POST", TOPIC + "/subscriptions", subscribe, "smn:topic:update"),
    Route(SMN, "GET", TOPIC + "/subscriptions", list_topic_subscriptions, "smn:topic:list"),
    Route(SMN, "GET", SUBSCRIPTION, list_subscriptions, "smn:topic:list"),
    Route(SMN, "DELETE", SUBSCRIPTION + "/{subscription_urn}", unsubscribe, "smn:topic:update"),
    Route(SMN, "GET", "/smn/subscription/confirm", follow_confirmation, None),
    Route(SMN, "GET", "/smn/subscription/unsubscribe", follow_cancellation, None),
)
