"""`python -m tests.fleet up|down|list|images|exec`: the fleet from a shell or a Makefile."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.fleet import images
from tests.fleet.hosts import HOSTS, OTHERS
from tests.fleet.machine import CannotRun, environment, inside, leave, podman_argv, why_not
from tests.fleet.running import Fleet, default_folder, listing, stop, stop_all


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start hosts; prints the path of their inventory")
    up.add_argument("hosts", nargs="+", choices=list(HOSTS | OTHERS), metavar="HOST")
    up.add_argument("--dir", type=Path, help="for the inventory, the key and known_hosts")
    down = commands.add_parser("down", help="end the hosts of a prefix")
    down.add_argument("--all", action="store_true", help="whatever their prefix")
    for command in (up, down):
        command.add_argument("--prefix", default="fleet")
    commands.add_parser("list", help="the hosts that run")
    built = commands.add_parser("images", help="build images, start nothing")
    built.add_argument("hosts", nargs="+", choices=list(HOSTS | OTHERS), metavar="HOST")
    execute = commands.add_parser("exec", help="run a command where the fleet's podman runs")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    podman = commands.add_parser("podman", help="podman on the fleet's storage")
    podman.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- ARGUMENTS")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    try:
        if reason := why_not():
            raise CannotRun(reason)
        match arguments.command:
            case "up":
                folder = arguments.dir or default_folder(arguments.prefix)
                fleet = Fleet(arguments.hosts, folder=folder, prefix=arguments.prefix, keep=True)
                fleet.start()
                print(fleet.inventory)
            case "down":
                if arguments.all:
                    stop_all()
                    leave()
                else:
                    # others may be starting hosts just now
                    stop(arguments.prefix)
            case "list":
                for name, state in listing():
                    print(name, state)
            case "images":
                images.ensure({(HOSTS | OTHERS)[name].image for name in arguments.hosts})
            case "exec" | "podman":
                argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
                if not argv:
                    sys.exit("no command given")
                whole = inside(*argv) if arguments.command == "exec" else podman_argv(*argv)
                os.execvpe(whole[0], whole, environment())
    except CannotRun as problem:
        print(f"containers cannot run here: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
