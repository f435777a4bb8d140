from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp

from collector.catalog import controls
from collector.judging_code import judging_code_sha256, judging_files

ROOT = Path(__file__).parents[1]


def test_every_module_that_a_judge_rests_on_is_in_it() -> None:
    graph = grimp.build_graph("collector", cache_dir=None)
    rests_on = {"collector.assess"} | graph.find_upstream_modules("collector.assess")
    for id in controls():
        judge = f"collector.controls.{id}"
        rests_on |= {judge} | graph.find_upstream_modules(judge)
    taken = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in judging_files()}
    modules = {m for m in rests_on if not (ROOT / m.replace(".", "/")).is_dir()}
    # what decides nothing: how errors are raised, where files lie, JSON Schemas' faults in words
    idle = {
        f"collector.{name}" for name in ("errors", "faults", "judging_code", "private", "resources")
    }
    assert modules - taken <= idle


def test_it_is_the_same_in_another_process_and_another_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c",
         "from collector.judging_code import judging_code_sha256; print(judging_code_sha256())"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == judging_code_sha256()


def test_a_parser_that_changes_changes_it(tmp_path: Path) -> None:
    copy = tmp_path / "collector"
    subprocess.run(["cp", "-r", ROOT / "collector", copy], check=True)
    with (copy / "facts" / "base" / "sizes.py").open("a", encoding="utf-8") as file:
        file.write("\n# another\n")
    done = subprocess.run(
        [sys.executable, "-c",
         "from collector.judging_code import judging_code_sha256; print(judging_code_sha256())"],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.strip() != judging_code_sha256()
