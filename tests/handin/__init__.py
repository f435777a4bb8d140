"""Hand-ins: links, uploads by real curl and busybox, the quarantine, and intake."""
