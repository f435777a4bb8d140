"""Notices that go out, against a real SMTP conversation and a server that stands for webhooks."""
