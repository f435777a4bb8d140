"""Where on a server links lie; apart from `http`, which needs the extra `web`."""

PREFIX = "/hand-in"
