"""Shell scripts drawn at random: every command in them is a stub with a name of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Drawn:
    """`bash` when only bash can run it. `names` are the stubs, in the order of the text."""

    text: str
    bash: bool
    arguments: list[str]
    environment: dict[str, str]
    names: list[str]


@dataclass
class Maker:
    """One script. `depth` keeps it small; `functions` are those that may be called by now."""

    draw: random.Random
    bash: bool
    names: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    defined: list[str] = field(default_factory=list)
    in_loop: int = 0
    in_function: bool = False

    def one(self, *choices: str) -> str:
        return self.draw.choice(choices)

    def stub(self) -> str:
        name = f"c{len(self.names)}"
        self.names.append(name)
        return name

    def word(self) -> str:
        literal = self.one("a", "b", "/x/y", "'p q'", '"p q"', "-o", "--k=v", "x\\ y", "1", "''")
        if self.variables and self.draw.random() < 0.4:
            name = self.draw.choice(self.variables)
            return self.one(f"${name}", f'"${name}"', f"${{{name}}}z", f'"x${name}"',
                            f'"${{{name}:-d}}"', f'"${{{name}%t}}"', f"${{#{name}}}",
                            f'"${{{name}:+s}}"', f"pre-${name}.gz")  # fmt: skip
        if self.draw.random() < 0.12:
            return self.one('"$1"', '"$@"', "$#", '"$2"', "$*", '"${1:-none}"', '"${3-w}"')
        if self.draw.random() < 0.08:
            return self.one('"$EA"', "$EB", '"${EA:-x}"', '"/d/$EA.gz"')
        return literal

    def command(self) -> str:
        words = [self.stub(), *(self.word() for _ in range(self.draw.randrange(3)))]
        if self.draw.random() < 0.08:
            words.append(f"$(o{self.stub()})")
        line = " ".join(words)
        kind = self.draw.random()
        if kind < 0.1:
            line += self.one(" >/dev/null", " 2>/dev/null", " >/dev/null 2>&1", ' >"$TMP/f"',
                             " </dev/null", ' >>"$TMP/g"')  # fmt: skip
        elif kind < 0.24:
            line = self.wrapped(line)
        elif kind < 0.28:
            line = f"V={self.word()} {line}"
        elif kind < 0.31:
            line = f"{line} <<{self.one('E', '-E')}\nsome text $(o{self.stub()})\nE"
        return line

    def wrapped(self, line: str) -> str:
        kind = self.draw.randrange(14)
        plain = self.stub() + self.one("", " a", " 'b c' d")
        return [
            f"nice -n 3 {line}",
            f"env A=b {line}",
            f"timeout 20 {line}",
            f"nohup {line} 2>/dev/null",
            f"sh -c '{plain}'",
            f"sh -ec '{plain}; {self.stub()}'",
            f"sh -c '{plain} && {self.stub()} \"$1\"' x y",
            f"ssh -q host '{plain}; {self.stub()}'",
            f"sudo -u root {line}",
            f"docker exec -i box {line}",
            f"eval '{plain}; {self.stub()}'",
            f'flock "$TMP/lock" {line}',
            f"systemd-cat -t x {line}",
            f"printf 'u v' | xargs {self.stub()} w",
        ][kind]

    def test(self) -> str:
        if self.variables and self.draw.random() < 0.6:
            name = self.draw.choice(self.variables)
            return self.one(f'[ "${name}" = t ]', f'[ -n "${name}" ]', f'[ -z "${name}" ]',
                            f'[ "${name}" != 0 ]', f'test "x${name}" = xt',
                            f'[ "${{{name}}}" -eq 0 ] 2>/dev/null')  # fmt: skip
        return self.one('[ -e "$TMP/none" ]', "[ $# -gt 1 ]", '[ "$1" = go ]', "true", "false",
                        "[ 1 -eq 1 ]", "[ -d / ]", '[ "$EA" = e ]', "test -z ''",
                        *(["[[ a == a ]]", "[[ $1 == g* ]]", "[[ -f /none || 1 -eq 1 ]]"]
                          if self.bash else []))  # fmt: skip

    def simple(self) -> str:
        kind = self.draw.random()
        if self.functions and kind < 0.13:
            return " ".join([self.draw.choice(self.functions), self.word()])
        if kind < 0.22:
            return self.test()
        return self.command()

    def list_(self, depth: int) -> str:
        found = self.simple()
        if self.draw.random() < 0.06:
            found = f"! {found}"
        for _ in range(self.draw.choice((0, 0, 1, 1, 2))):
            if "<<" in found:
                break
            after = self.simple() if self.draw.random() < 0.6 else self.end(depth)
            found += f" {self.one('&&', '||', '||')} {after}"
        return found

    def end(self, depth: int) -> str:
        choices = ["true", "exit 0", "exit 1", ":", "false", "exit", "exit 3"]
        if self.in_loop:
            choices += ["break", "continue", "break"]
        if self.in_function:
            choices += ["return 1", "return", "return 0"]
        if depth > 0:
            choices += [f"{{ {self.simple_flat()}; {self.one('exit 1', 'true', 'exit 2')}; }}",
                        f"( {self.simple_flat()}; {self.simple_flat()} )"]  # fmt: skip
        return self.draw.choice(choices)

    def simple_flat(self) -> str:
        found = self.simple()
        while "<<" in found:
            found = self.simple()
        return found

    def pipe(self) -> str:
        stages = [self.simple_flat() for _ in range(self.draw.choice((2, 2, 3)))]
        if self.draw.random() < 0.15:
            stages[-1] = f"while read l; do {self.simple_flat()}; done"
        if self.draw.random() < 0.15:
            stages[0] = f"{{ {self.simple_flat()}; {self.simple_flat()}; }}"
        return " | ".join(stages)

    def assign(self) -> str:
        name = f"v{len(self.variables)}"
        if self.variables and self.draw.random() < 0.4:
            name = self.draw.choice(self.variables)
        made = self.draw.random()
        if made < 0.3:
            text = f"{name}=$({'o' if self.draw.random() < 0.5 else ''}{self.stub()})"
        elif made < 0.4:
            text = f"{name}=$?"
        else:
            text = f"{name}={self.word()}"
        if self.draw.random() < 0.1:
            text = f"export {text}" if not self.in_function else f"local {text}"
        if name not in self.variables:
            self.variables.append(name)
        return text

    def block(self, depth: int, most: int = 3) -> str:
        return "\n".join(self.statement(depth) for _ in range(self.draw.randrange(1, most + 1)))

    def loop_body(self, depth: int) -> str:
        self.in_loop += 1
        made = self.block(depth, 2)
        self.in_loop -= 1
        return made

    def ending_body(self) -> str:
        """Of a loop that ends only by `break`."""
        return self.loop_body(0).replace("continue", "break")

    def compound(self, depth: int) -> str:
        kind = self.draw.randrange(10)
        asked = self.test() if self.draw.random() < 0.5 else self.simple_flat()
        if self.draw.random() < 0.15:
            asked = f"! {asked}"
        if kind < 3:
            text = f"if {asked}; then\n{self.block(depth)}\n"
            if self.draw.random() < 0.3:
                text += f"elif {self.simple_flat()}; then\n{self.block(depth, 2)}\n"
            if self.draw.random() < 0.5:
                text += f"else\n{self.block(depth, 2)}\n"
            return text + "fi"
        if kind == 3:
            self.variables.append("i")
            listed = self.one("a b", "a", "a b c", '"p q" r')
            return f"for i in {listed}; do\n{self.loop_body(depth)}\ndone"
        if kind == 4:
            value = self.word()
            pattern = self.one("b*", "go", "[xy]*", "?")
            return (
                f"case {value} in\na|t) {self.simple_flat()};;\n{pattern}) "
                f"{self.simple_flat()};;\n"
                + (f"*) {self.simple_flat()};;\n" if self.draw.random() < 0.6 else "")
                + "esac"
            )
        if kind == 5:
            return f"(\n{self.block(depth, 2)}\n)"
        if kind == 6:
            return f"{{\n{self.block(depth, 2)}\n}}" + self.one("", " >/dev/null", ' 2>"$TMP/e"')
        if kind == 7:
            self.variables.append("n")
            body = self.loop_body(0)
            return f"n=0\nwhile [ $n -lt 2 ]; do\nn=$((n+1))\n{body}\ndone"
        if kind == 8:
            return f"until {self.simple_flat()}; do\n{self.ending_body()}\nbreak\ndone"
        return f"while {self.simple_flat()}; do\n{self.ending_body()}\nbreak\ndone"

    def statement(self, depth: int) -> str:
        kind = self.draw.random()
        if kind < 0.2:
            return self.assign()
        if kind < 0.3:
            return self.pipe()
        if kind < 0.33:
            return self.simple_flat() + " &\nwait"
        if kind < 0.36:
            more = ["set -o pipefail", "set -euo pipefail"] if self.bash else []
            return self.one("set -e", "set +e", "set -u", "set +u", *more)
        if kind < 0.38:
            return self.end(depth)
        if depth > 0 and kind < 0.62:
            return self.compound(depth - 1)
        return self.list_(depth)

    def function(self) -> str:
        held = list(self.variables)
        self.in_function = True
        body = self.block(1, 3)
        self.in_function = False
        self.variables = held
        name = f"f{len(self.functions)}"
        self.functions.append(name)
        return f"{name}() {{\n{body}\n}}"

    def script(self) -> str:
        lines = []
        if self.draw.random() < 0.35:
            more = ["set -euo pipefail", "set -o pipefail"] if self.bash else []
            lines.append(self.one("set -e", "set -eu", "set -e", *more))
        if self.draw.random() < 0.15:
            lines.append(f"trap '{self.stub()}; {self.stub()}' {self.one('EXIT', '0', 'EXIT INT')}")
        elif self.draw.random() < 0.05 and self.bash:
            lines.append(f"trap '{self.stub()}; exit 4' ERR")
        for _ in range(self.draw.choice((0, 0, 1, 2))):
            lines.append(self.function())
        lines.append(self.block(2, 5))
        if self.draw.random() < 0.2:
            last = self.draw.choice(self.variables) if self.variables else "EA"
            lines.append(self.one(f"exit ${last}", "exit $?", "exit 0"))
        return "\n".join(lines) + "\n"


def drawn(seed: int) -> Drawn:
    draw = random.Random(seed)
    bash = draw.random() < 0.4
    maker = Maker(draw, bash)
    text = maker.script()
    if bash:
        text = "#!/bin/bash\n" + text
    arguments = draw.choice(([], ["go"], ["t", "go"], ["p q"]))
    environment = draw.choice(({}, {"EA": "e"}, {"EA": "e", "EB": "t u"}))
    return Drawn(text, bash, arguments, environment, maker.names)
