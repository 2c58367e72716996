"""The completion scripts in the shells they are for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from manual.shells import SHOW_WORDS, typed
from pushctl import catalog
from pushctl.cli.completion import SHELLS, script
from pushctl.cli.generate import ROOT, SCRIPT_NAMES
from pushctl.manual.model import Command, Values

RUNS = ["20261101-101010-aaaaa", "20261102-101010-bbbbb"]


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip where *shell* is not installed."""
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


def in_bash(words: list[str], cwd: Path, environ: Mapping[str, str]) -> list[str]:
    """Return what bash offers for the last of *words*."""
    code = f"""source {ROOT}/completions/pushctl.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pushctl
((${{#COMPREPLY[@]}})) && printf '%s\\n' "${{COMPREPLY[@]}}" || true"""
    return run(["bash", "-c", code, "bash", *words], cwd, environ)


def in_fish(line: str, cwd: Path, environ: Mapping[str, str]) -> list[str]:
    """Return what fish offers at the end of *line*."""
    code = f"source {ROOT}/completions/pushctl.fish; complete -C $argv[1]"
    offered = run(["fish", "--no-config", "-c", code, line], cwd, environ)
    return [one.partition("\t")[0] for one in offered]


def run(command: list[str], cwd: Path, environ: Mapping[str, str]) -> list[str]:
    """Return the lines that *command* prints; it must be silent otherwise."""
    done = subprocess.run(
        command, cwd=cwd, env=dict(environ), capture_output=True, text=True, timeout=60, check=True
    )
    assert "" == done.stderr
    return done.stdout.splitlines()


# Each line ends where Tab is pressed; what must be offered there, and something that must not.
CASES: dict[str, tuple[str, set[str], str]] = {
    "commands": ("pushctl ", {"send", "explain", "runs", "demo"}, "show"),
    "a command": ("pushctl expl", {"explain"}, "send"),
    "commands of a group": ("pushctl runs ", {"list", "show", "resume"}, "send"),
    "behind common options": ("pushctl -q --color never runs sh", {"show"}, "send"),
    "the word of an option is no command": ("pushctl --config runs se", {"send"}, "list"),
    "options": ("pushctl send --co", {"--color", "--confirm", "--collapse-id"}, "--retry-failed"),
    "options of a command in a group": ("pushctl runs resume --re", {"--retry-failed"}, "--rate"),
    "words": ("pushctl send --color ", {"auto", "always", "never"}, "send"),
    "shells": ("pushctl completion ", set(SHELLS), "send"),
    "credentials": ("pushctl send --credential ", {"shop-ios", "shop-android"}, "hacked"),
    "credentials of another config": (
        "pushctl send --config other.yaml --credential ", {"elsewhere"}, "shop-ios",
    ),
    "runs": ("pushctl runs show ", {"last", *RUNS}, "send"),
    "reasons": ("pushctl explain Unreg", {"Unregistered"}, "BadDeviceToken"),
}  # fmt: skip


@needs("bash")
@pytest.mark.parametrize(("line", "offered", "never"), CASES.values(), ids=CASES)
def test_bash(
    project: Path, environ: dict[str, str], line: str, offered: set[str], never: str
) -> None:
    """bash offers what can stand there, and nothing of another place."""
    found = in_bash(line.split(" "), project, environ)

    assert offered <= set(found)
    assert never not in found
    assert len(found) == len(set(found))


@needs("fish")
@pytest.mark.parametrize(("line", "offered", "never"), CASES.values(), ids=CASES)
def test_fish(
    project: Path, environ: dict[str, str], line: str, offered: set[str], never: str
) -> None:
    """fish offers what can stand there, and nothing of another place."""
    found = in_fish(line, project, environ)

    assert offered <= set(found)
    assert never not in found


TAB = "\t"
TYPED = {
    "a command, an option, its word": (
        f"pushctl sen{TAB}--colo{TAB}nev{TAB}", ["send", "--color", "never"],
    ),
    "a command of a group, a run": (
        f"pushctl runs sho{TAB}20261102{TAB}", ["runs", "show", RUNS[1]],
    ),
    "a credential": (
        f"pushctl send --credential shop-i{TAB}", ["send", "--credential", "shop-ios"],
    ),
    "a reason": (f"pushctl expl{TAB}Unreg{TAB}", ["explain", "Unregistered"]),
    "a file with a blank": (
        f"pushctl send --tokens li{TAB}", ["send", "--tokens", "list one.csv"],
    ),
}  # fmt: skip


@needs("bash")
@pytest.mark.parametrize(("line", "words"), TYPED.values(), ids=TYPED)
def test_tab_in_an_interactive_bash(
    project: Path, environ: dict[str, str], line: str, words: list[str]
) -> None:
    """What Tab makes of a line at bash's prompt is the command that was meant."""
    setup = project.parent / "setup.bash"
    setup.write_text(
        f"source {ROOT}/completions/pushctl.bash\n{SHOW_WORDS}"
        "bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; PS1='READY>'\n"
    )
    shell = ["bash", "--norc", "--noprofile", "-i"]

    assert words == typed(shell, setup, line, cwd=project, environ=environ)


@needs("zsh")
@pytest.mark.parametrize(("line", "words"), TYPED.values(), ids=TYPED)
def test_tab_in_an_interactive_zsh(
    project: Path, environ: dict[str, str], line: str, words: list[str]
) -> None:
    """What Tab makes of a line at zsh's prompt is the command that was meant."""
    found = typed(
        ["zsh", "-f", "-i"], zsh_setup(project.parent), line, cwd=project, environ=environ
    )

    # zsh writes --color=never, the others --color never
    assert words == [part for word in found for part in word.split("=", 1)]


@needs("zsh")
@pytest.mark.parametrize(("line", "offered", "never"), CASES.values(), ids=CASES)
def test_zsh(
    project: Path, environ: dict[str, str], line: str, offered: set[str], never: str
) -> None:
    """zsh offers what can stand there, and nothing of another place."""
    notes = project.parent / "offered"
    setup = zsh_setup(project.parent)
    setup.write_text(setup.read_text() + ZSH_NOTES.replace("@notes@", str(notes)))

    typed(["zsh", "-f", "-i"], setup, f"{line}{TAB}\x15pushctl", cwd=project, environ=environ)

    found = notes.read_text().splitlines()
    assert offered <= set(found)
    assert never not in found


ZSH_NOTES = r"""
LISTMAX=10000
compadd() {
    local -a noted
    if [[ ${@[1,(i)(-|--)]} != *-[a-zA-Z]#[OAD]* ]]; then
        builtin compadd -O noted "$@"
        print -rl -- $noted >>@notes@
    fi
    builtin compadd "$@"
}
setopt extended_glob
"""
"""Notes what is offered, in a file."""


def zsh_setup(folder: Path) -> Path:
    """Return a file that loads the completion as an installed one is: from a folder of fpath."""
    setup = folder / "setup.zsh"
    setup.write_text(
        f"fpath=({ROOT}/completions $fpath)\nautoload -Uz compinit; compinit -u -D\n{SHOW_WORDS}"
        "bindkey '^U' kill-whole-line; unsetopt beep zle_bracketed_paste prompt_cr prompt_sp\n"
        "PS1='READY>'\n"
    )
    return setup


@needs("zsh")
def test_zsh_can_source_it(project: Path, environ: dict[str, str]) -> None:
    """`source <(pushctl completion zsh)` works as the installed file does."""
    setup = project.parent / "setup.zsh"
    setup.write_text(
        f"autoload -Uz compinit; compinit -u -D\nsource {ROOT}/completions/_pushctl\n{SHOW_WORDS}"
        "unsetopt beep zle_bracketed_paste prompt_cr prompt_sp\nPS1='READY>'\n"
    )

    found = typed(
        ["zsh", "-f", "-i"], setup, f"pushctl runs sho{TAB}las{TAB}", cwd=project, environ=environ
    )

    assert ["runs", "show", "last"] == found


@needs("bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pushctl", "send", "--color", "=", "ne"], ["never"]),
        (["pushctl", "send", "--credential", "="], ["shop-ios", "shop-android"]),
        (["pushctl", "send", "--token", "a", ":", "b", "--colla"], ["--collapse-id"]),
        (["pushctl", "send", "--title", "runs", "--colla"], ["--collapse-id"]),
        (["pushctl", "send", ""], []),
        (["pushctl", "nonsense", "--x"], []),
    ],
)
def test_bash_hands_over_words_split_at_equals_and_colon(
    project: Path, environ: dict[str, str], words: list[str], offered: list[str]
) -> None:
    """bash splits --color=ne and tokens into several words; they are put together again."""
    if words[-1] == "=":
        words = [*words, ""]

    assert offered == in_bash(words, project, environ)


@needs("bash")
def test_a_config_cannot_run_anything(project: Path, environ: dict[str, str]) -> None:
    """A credential whose name is a command is neither offered nor run at Tab."""
    in_bash(["pushctl", "send", "--credential", ""], project, environ)

    assert not (project / "hacked").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_holds_every_command_and_option(model: Command, shell: str) -> None:
    """No command and no long option is missing from any script."""
    text = script(model, shell)

    for command in model.walk():
        assert all(word in text for word in command.path)
        for option in command.options:
            name = option.name[2:] if shell == "fish" else option.name
            assert name in text, f"{option.name} of {command.name}"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(
    model: Command, environ: dict[str, str], tmp_path: Path, shell: str
) -> None:
    """`pushctl completion SHELL` prints what is installed as a file."""
    printed = run(["pushctl", "completion", shell], tmp_path, environ)

    assert script(model, shell).splitlines() == printed
    assert (ROOT / "completions" / SCRIPT_NAMES[shell]).read_text().splitlines() == printed


def test_reasons_are_words_of_the_catalog(model: Command) -> None:
    """What `explain` completes is what it explains; options that name files are completed so."""
    names = {name for reason in catalog.all_reasons() for name in reason.names}
    explain = next(command for command in model.walk() if command.path == ("explain",))
    (send,) = (
        {option.name: option for option in command.options}
        for command in model.walk()
        if command.path == ("send",)
    )

    assert Values.REASONS is explain.arguments[0].values
    assert {"Unregistered", "UNREGISTERED", "NoConsent"} <= names
    assert {Values.FILE} == {send[name].values for name in ("--tokens", "--payload", "--suppress")}
