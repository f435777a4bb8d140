"""Notices that go out to people: whom, by which channel, and an outbox that sends each once."""
