"""``send --dry-run``: everything but the sending."""

from __future__ import annotations

from cli.kit import Project, android, ios

HELLO = ("--title", "Hello {{ name }}", "--dry-run")
ROWS = f"token,name\n{ios(1)},Anna\n{android(1)},Ben\n{ios(2)},\nnil,Emil\n"


def test_it_tells_what_would_be_sent_and_leaves_nothing(project: Project) -> None:
    """A dry run counts, shows samples with their header fields, sends and leaves nothing."""
    project.write("list.csv", ROWS)

    result = project.send("--tokens", "list.csv", *HELLO)

    assert 0 == result.exit_code
    assert result.stdout.startswith("dry run: 2 of 4 would be sent; nothing was\n")
    assert "apns-topic: com.example.shop" in result.stdout
    assert '"title": "Hello Anna"' in result.stdout
    assert ios(1) not in result.stdout
    assert [] == project.served.pushes
    assert ["list.csv", "pushctl.yaml"] == sorted(path.name for path in project.folder.iterdir())


def test_its_document(project: Project) -> None:
    """-o json of a dry run is one document: numbers, sizes, decisions, samples."""
    project.write("list.csv", ROWS)

    document = project.send("--tokens", "list.csv", *HELLO, "-o", "json").document

    assert (4, 2) == (document["inputs"], document["to_send"])
    assert {("skipped", "MissingAttribute", 1), ("rejected", "InvalidToken", 1)} == {
        tuple(one.values()) for one in document["decided"]
    }
    assert ["list.csv:2", "list.csv:3"] == [sample["source"] for sample in document["samples"]]
    assert "authorization" not in str(document)


def test_what_a_send_refuses_a_dry_run_refuses(project: Project) -> None:
    """A dry run finds the faults that would stop the send, with the same exit code."""
    result = project.send("--token", ios(), "--body", "x" * 5000, "--dry-run")

    assert 3 == result.exit_code
    assert "the APNs payload has" in result.errors[0]


def test_records_have_no_place_in_a_dry_run(project: Project) -> None:
    """-o jsonl and csv are outcomes, and a dry run has none: exit 2."""
    result = project.send("--token", ios(), "--title", "x", "--dry-run", "-o", "jsonl")

    assert (2, ["a dry run has no -o jsonl"]) == (result.exit_code, result.errors)
