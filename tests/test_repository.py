"""What visitors of the repository meet: workflows, forms, Binder, addresses, and what the texts promise."""

import ast
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer.main
import yaml
from packaging.requirements import Requirement

from handan import address, cli
from handan.book.project import find_project

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[0-9]*.yml"))
LISTS = sorted((ROOT / ".github").glob("tests-*.txt"))
PROSE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", *map(str, (ROOT / "book").glob("*.md")))]
FOLDERS = "src|tests|scripts|notebooks|book|benchmarks|.github|.devcontainer"


def read(path):
    return path.read_text(encoding="utf-8")


def workflow(path):
    # YAML reads a bare `on` as true
    return {("on" if key is True else key): value for key, value in yaml.safe_load(read(path)).items()}


def steps(path):
    return [step for job in workflow(path)["jobs"].values() for step in job.get("steps", [])]


# --- workflows ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-issue-forms", FORMS),
        ("vendor.github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("vendor.dependabot", [ROOT / ".github/dependabot.yml"]),
        ("vendor.citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_files_follow_their_schema(schema, files):
    assert files
    options = ["--default-filetype", "yaml", "--builtin-schema", schema]
    command = [sys.executable, "-m", "check_jsonschema", *options, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_little_and_ends(path):
    found = workflow(path)
    assert found["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in found["on"]  # would hand secrets to a stranger's code
    assert found["defaults"]["run"]["shell"] == "bash"  # with -e and -o pipefail
    assert "concurrency" in found or set(found["on"]) == {"workflow_call"}
    for name, job in found["jobs"].items():
        assert "timeout-minutes" in job or "uses" in job, name
        assert job.get("strategy", {"fail-fast": False})["fail-fast"] is False, name
        if "issues" in job.get("permissions", {}) or "pages" in job.get("permissions", {}):
            runs = " ".join(step.get("run", "") for step in job.get("steps", []))
            assert not re.search(r"\b(make|python|handan|pip)\b", runs), (
                f"{name} runs code with a strong token"
            )


def test_actions_are_pinned_to_one_commit_each_with_its_version():
    lines = [
        line
        for path in WORKFLOWS
        for line in read(path).splitlines()
        if "uses:" in line and "uses: ./" not in line
    ]
    assert lines
    pins = {}
    for line in lines:
        found = re.search(r"uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", line)
        assert found, line
        pins.setdefault("/".join(found[1].split("/")[:2]), set()).add((found[2], found[3]))
    assert {name: len(each) for name, each in pins.items()} == dict.fromkeys(pins, 1)
    assert any(one["package-ecosystem"] == "github-actions" for one in dependabot())


def dependabot():
    return yaml.safe_load(read(ROOT / ".github/dependabot.yml"))["updates"]


def test_a_checkout_leaves_no_token_behind():
    checkouts = [step for path in WORKFLOWS for step in steps(path) if "/checkout@" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_nothing_from_outside_is_pasted_into_a_shell():
    """An expression in a script is text from an event, which a stranger may have written."""
    for path in WORKFLOWS:
        for step in steps(path):
            assert "${{" not in step.get("run", ""), f"{path.name}: hand it over in env: {step['run']}"


def test_only_main_is_published_and_only_by_the_job_that_may():
    found = workflow(ROOT / ".github/workflows/book.yml")
    may = [name for name, job in found["jobs"].items() if "pages" in job.get("permissions", {})]
    assert may == ["publish"]
    assert "refs/heads/main" in found["jobs"]["publish"]["if"]


def test_every_supported_python_and_system_is_tested():
    found = workflow(ROOT / ".github/workflows/test.yml")["jobs"]["others"]["strategy"]["matrix"]
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    named = [re.search(r"Python :: (3\.\d+)$", line) for line in project["classifiers"]]
    assert found["python"] == [one[1] for one in named if one]
    assert [name.split("-")[0] for name in found["system"]] == ["ubuntu", "macos", "windows"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_what_is_left_out_elsewhere_exists(path):
    for line in read(path).splitlines():
        option, _, place = line.partition("=")
        assert option in ("--ignore", "--deselect"), line
        file, _, name = place.partition("::")
        assert (ROOT / file).exists(), line
        assert not name or f"def {name}(" in read(ROOT / file), line


def test_what_windows_lacks_is_left_out_there():
    posix = re.compile(r"^import (resource|fcntl|pwd)|os\.fork\(|SIGKILL|send_signal\(signal\.SIGINT", re.M)
    workers = [path for path in (ROOT / "tests").rglob("worker_*.py") if posix.search(read(path))]
    left_out = read(ROOT / ".github/tests-windows.txt").splitlines()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = read(path)
        needs = posix.search(text) or any(worker.name in text for worker in workers)
        if (
            path == Path(__file__)
            or not needs
            or 'importorskip("ray")' in text
            or "skipif(not hasattr" in text
        ):
            continue
        name = path.relative_to(ROOT).as_posix()
        places = [line.partition("=")[2].partition("::")[0] for line in left_out]
        assert any(name == place or name.startswith(f"{place}/") for place in places), name


# --- what is named exists -------------------------------------------------------------------------


def spoken():
    """Each command that a text tells people, or a machine, to give, with where it stands."""
    for path in PROSE:
        text = read(path)
        for block in re.findall(r"^```(?:bash|shell)\n(.*?)^```", text, re.S | re.M):
            yield from ((path.name, line) for line in block.splitlines())
        yield from ((path.name, span) for span in re.findall(r"`([^`\n]+)`", text))
    for path in WORKFLOWS:
        yield from ((path.name, line) for step in steps(path) for line in step.get("run", "").splitlines())
    container = devcontainer()
    yield from ((".devcontainer", container[key]) for key in ("onCreateCommand", "postCreateCommand"))


def words(line):
    try:
        return shlex.split(line.split("|")[0], comments=True)
    except ValueError:  # an apostrophe in prose
        return []


def commands(program):
    for place, line in spoken():
        parts = [part for part in words(line) if "=" not in part.split("/")[0] or part.startswith("-")]
        if parts and parts[0].removeprefix(".venv/bin/") == program:
            yield place, line, parts[1:]


def options(command):
    return {"--help"} | {name for one in command.params for name in (*one.opts, *one.secondary_opts)}


def test_every_handan_command_in_the_texts_exists():
    count = 0
    for place, line, parts in commands("handan"):
        command = typer.main.get_command(cli.app)
        while hasattr(command, "commands"):
            name = next((part for part in parts if not part.startswith("-")), None)
            if name is None:
                break
            if name not in command.commands:
                assert "run" in command.commands, f"{place}: {line}: there is no command {name}"
                command = command.commands["run"]
                break
            command = command.commands[name]
            parts = parts[parts.index(name) + 1 :]
        used = {part.partition("=")[0] for part in parts if re.match(r"--?[a-z]", part)}
        assert used <= options(command), f"{place}: {line}: there is no {used - options(command)}"
        count += 1
    assert count > 40


def test_every_make_target_in_the_texts_exists():
    targets = set(re.findall(r"^([\w./-]+):", read(ROOT / "Makefile"), re.M))
    named = [(place, line, part) for place, line, parts in commands("make") for part in parts]
    assert named
    for place, line, part in named:
        assert part in targets, f"{place}: {line}"


def test_every_path_in_the_texts_exists():
    named = []
    for place, line in spoken():
        found = [part for part in [line, *words(line)] if re.fullmatch(rf"(?:{FOLDERS})/[\w./*@-]+", part)]
        named += [(place, part) for part in found]
    assert len(named) > 10
    for place, name in named:
        pattern = name.rstrip("/").replace("NN_name", "[0-9][0-9]_*")  # how texts speak of any chapter
        assert list(ROOT.glob(pattern)), f"{place} names {name}"


# --- addresses ------------------------------------------------------------------------------------


def texts():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path != Path(__file__) and path.stat().st_size < 2_000_000:
            try:
                yield name, read(path)
            except UnicodeDecodeError:
                continue


def addresses():
    """Every address of this project, with the file that holds it."""
    owner, name = address.slug().split("/")
    ours = re.compile(rf"https?://[^\s\"'<>)\]}}\\`]*(?:{owner}|/{name}\b)[^\s\"'<>)\]}}\\`]*", re.I)
    for file, text in texts():
        yield from ((file, found.rstrip(".,;:")) for found in ours.findall(text))


def known():
    kinds = [address.colab(""), address.kaggle(""), address.binder("").split("?")[0], address.book()]
    return (address.repository(), *kinds)


def test_every_address_of_the_project_is_derived_from_the_one_in_pyproject():
    found = list(addresses())
    assert any(file == "README.md" for file, _ in found)
    assert [pair for pair in found if not pair[1].startswith(known())] == []


def test_every_address_of_the_project_leads_to_a_file_or_a_page():
    pages = find_project(ROOT).pages
    for file, found in addresses():
        path = unquote(urlsplit(found).path)
        if "/blob/" in path:
            name = path.partition(f"/blob/{address.BRANCH}/")[2]
            assert (ROOT / name).exists(), f"{file} links to {name}, which is not there"
        elif found.startswith(address.book()) and path.endswith(".html"):
            page = found.removeprefix(address.book()).partition("#")[0].removesuffix(".html")
            assert page in (*pages, "index"), f"{file} links to the page {page}, which is not in the book"


# --- Binder and the dev container -----------------------------------------------------------------


def test_binder_takes_the_environment_at_the_root():
    """repo2docker looks into these folders and files first, and would not see environment.yml."""
    for name in ("binder", ".binder", "Dockerfile", "Pipfile", "Project.toml", "install.R"):
        assert not (ROOT / name).exists(), name
    found = yaml.safe_load(read(ROOT / "environment.yml"))
    assert found["channels"][0] == "conda-forge"
    pip = next(one["pip"] for one in found["dependencies"] if isinstance(one, dict))
    assert pip == ["-e ."]  # a local package: repo2docker then copies the repository before it installs
    names = {Requirement(one).name for one in found["dependencies"] if isinstance(one, str)}
    assert {"python", "pip", "ipykernel", "pytorch"} <= names


@pytest.mark.skipif(os.name == "nt", reason="files have no mode there")
def test_binder_can_run_what_comes_after():
    script = ROOT / "postBuild"
    assert os.access(script, os.X_OK)
    assert read(script).startswith("#!/bin/bash\n")
    assert subprocess.run(["bash", "-n", script]).returncode == 0
    (code,) = re.findall(r'^python -c "(.*)"$', read(script), re.M)
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def devcontainer():
    text = read(ROOT / ".devcontainer/devcontainer.json")
    return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))


def test_the_dev_container_installs_what_the_tests_need():
    found = devcontainer()
    assert found["postCreateCommand"] == "make .venv/.ready-dev"
    assert "chromium" in found["onCreateCommand"]
    version = re.search(r"python:(3\.\d+)", found["image"])[1]
    assert (
        version
        in workflow(ROOT / ".github/workflows/test.yml")["jobs"]["others"]["strategy"]["matrix"]["python"]
    )


# --- forms and the page for trouble ---------------------------------------------------------------


def test_what_the_forms_ask_people_to_paste_can_be_had():
    found = [line for path in FORMS for line in re.findall(r'python -c "(.*?)"', read(path))]
    assert found
    for code in found:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "handan" in done.stdout


def test_a_form_for_data_asks_for_the_licence():
    form = yaml.safe_load(read(ROOT / ".github/ISSUE_TEMPLATE/5-study.yml"))
    (licence,) = [one for one in form["body"] if one.get("id") == "licence"]
    assert licence["validations"]["required"] is True


def messages():
    """All texts in the code, with a NUL where something is filled in."""
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(one.value if isinstance(one, ast.Constant) else "\0" for one in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"{[^{}]*}", "\0", node.value)
    yield from re.findall(r'echo "(.*?)"', read(ROOT / "Makefile"))


def quoted():
    blocks = re.findall(r"^```text\n(.*?)^```", read(ROOT / "book/troubleshooting.md"), re.S | re.M)
    return [" ".join(block.split()) for block in blocks]


@pytest.fixture(scope="module")
def said():
    return list(messages())


@pytest.mark.parametrize("message", quoted())
def test_every_message_on_the_page_for_trouble_is_still_printed(message, said):
    """An ellipsis stands for what is filled in; everything else is as in the code."""
    pieces = [re.escape(piece.strip()) for piece in message.split("…") if piece.strip()]
    pattern = re.compile(r"[\s\S]*?".join(pieces))
    assert any(pattern.search(text) for text in said)


def test_the_page_for_trouble_is_long_enough_to_help_and_each_entry_says_what_to_do():
    text = read(ROOT / "book/troubleshooting.md")
    entries = re.split(r"^### ", text, flags=re.M)[1:]
    assert len(entries) > 30
    for entry in entries:
        title, _, body = entry.partition("\n")
        prose = re.sub(r"^```.*?^```", "", re.split(r"^## ", body, flags=re.M)[0], flags=re.S | re.M)
        assert len(prose.split()) >= 12, title
