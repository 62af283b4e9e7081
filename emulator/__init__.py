"""A stateful Open Telekom Cloud with a real data plane, for laptops and tests."""
