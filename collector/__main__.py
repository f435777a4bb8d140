"""`python -m collector` is `hostpledge`."""

from collector.cli import main

main()
