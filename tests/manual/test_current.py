"""What is generated is current, and says what it must of every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pushctl.cli import generate
from pushctl.config.schema import ConfigModel, CredentialModel, DefaultsModel
from pushctl.errors import ExitCode
from pushctl.manual import config_keys
from pushctl.manual.model import COMMON, Command

COMMON_OPTIONS = {
    "--quiet", "--verbose", "--color", "--progress", "--no-input", "--config", "--debug", "--help",
}  # fmt: skip


def test_everything_generated_is_current() -> None:
    """Completions, man pages and generated docs are those of the commands and the catalog."""
    stale = generate.stale(generate.ROOT)

    assert [] == stale, f"run: python3 dev.py generate  (not current: {', '.join(stale)})"


def test_write_makes_it_current_and_takes_away_what_is_left_over(tmp_path: Path) -> None:
    """Writing twice changes nothing the second time; a page of a command that is gone goes too."""
    (tmp_path / "man").mkdir()
    (tmp_path / "man" / "pushctl-gone.1").write_text("old")

    written = generate.write(tmp_path)

    assert "man/pushctl-gone.1" in written
    assert "docs/cli.md" in written
    assert not (tmp_path / "man" / "pushctl-gone.1").exists()
    assert [] == generate.stale(tmp_path)
    assert [] == generate.write(tmp_path)


def test_tables_of_a_written_page_are_made_anew_and_its_words_kept(tmp_path: Path) -> None:
    """Between the markers stands each key of the config; what people wrote around them stays."""
    page = tmp_path / generate.CONFIGURATION
    page.parent.mkdir()
    page.write_text(f"before\n{config_keys.BEGIN}\nold\n{config_keys.END}\nafter\n")

    assert generate.CONFIGURATION in generate.write(tmp_path)

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "\nold\n" not in text
    keys = {*ConfigModel.model_fields, *CredentialModel.model_fields, *DefaultsModel.model_fields}
    assert keys == set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_the_page_of_keys_exists_and_a_lost_marker_is_told() -> None:
    """The checkout's page is held to the models; without its markers nobody could be."""
    assert (generate.ROOT / generate.CONFIGURATION).is_file()
    with pytest.raises(ValueError, match=r"docs/configuration\.md needs the lines"):
        config_keys.with_keys(f"{config_keys.BEGIN}\n")


def leaves(model: Command) -> list[Command]:
    """Return the commands that do something."""
    return [command for command in model.walk() if not command.commands]


def test_every_command_is_described_alike(model: Command) -> None:
    """One sentence, examples that call it, and the exit codes: every command has them."""
    wrong: list[str] = []
    for command in leaves(model):
        if not command.summary.endswith(".") or ". " in command.summary:
            wrong.append(f"{command.name}: its summary is one sentence, not {command.summary!r}")
        if len(command.summary) > 110:
            wrong.append(f"{command.name}: its summary is longer than 110 characters")
        if not any(command.name in example.command for example in command.examples):
            wrong.append(f"{command.name}: its help has no example")
        if not command.exit_codes:
            wrong.append(f"{command.name}: its help does not list its exit codes")

    assert [] == wrong


def test_exit_codes_are_those_of_the_contract(model: Command) -> None:
    """No help speaks of an exit code that does not exist."""
    known = {str(int(code)) for code in ExitCode}
    for command in model.walk():
        for meaning in command.exit_codes:
            assert known >= set(meaning.code.split(", ")), command.name


def test_every_command_takes_the_common_options(model: Command) -> None:
    """The same options, in one group, with the same names, on every command."""
    for command in leaves(model):
        common = {option.name for option in command.options if option.group == COMMON}
        assert COMMON_OPTIONS == common, command.name


def test_every_option_has_a_sentence(model: Command) -> None:
    """No option and no argument is without help; each is one or more whole sentences."""
    wrong = [
        f"{command.name} {option.name}: {option.help!r}"
        for command in model.walk()
        for option in command.options
        if not option.help.endswith(".")
    ]
    wrong += [
        f"{command.name} {argument.metavar}: {argument.help!r}"
        for command in model.walk()
        for argument in command.arguments
        if not argument.help.endswith(".")
    ]

    assert [] == wrong


def test_options_with_a_choice_list_it(model: Command) -> None:
    """-o and the like name their words, so that help, completions and man pages have them."""
    wrong = [
        f"{command.name} {option.name}"
        for command in model.walk()
        for option in command.options
        if option.name in ("--output", "--fail-on", "--platform") and not option.words
    ]

    assert [] == wrong


@pytest.mark.parametrize("short", ["-o", "-q", "-v", "-h", "-y", "-V"])
def test_a_short_option_means_one_thing(model: Command, short: str) -> None:
    """A letter stands for the same long option on every command."""
    long = {
        option.name
        for command in model.walk()
        for option in command.options
        if short in option.names
    }

    assert len(long) == 1
