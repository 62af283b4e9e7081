"""Simple Message Notification: topics, subscriptions and the way of a message to who subscribed."""
