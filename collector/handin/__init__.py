"""What customers hand in: one-time links, and the quarantine that captures lie in until intake.

No signing key and no register: what is received here is judged, signed and attached by
`hostpledge intake` alone (ADR 57).
"""
