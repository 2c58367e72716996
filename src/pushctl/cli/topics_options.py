"""The options that ``pushctl topics subscribe`` and ``unsubscribe`` share."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Whom"

TopicArgument = Annotated[
    str, typer.Argument(metavar="TOPIC", help="The topic's name, without /topics/ in front.")
]


def _many(name: str, metavar: str, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar=metavar, show_default=False, rich_help_panel=PANEL, help=text
    )
    return option


TokenOption = Annotated[
    list[str] | None, _many("--token", "T", "A registration token; repeatable.")
]
FidOption = Annotated[
    list[str] | None, _many("--fid", "ID", "A Firebase installation id; repeatable.")
]
TokensOption = Annotated[
    list[str] | None,
    _many(
        "--tokens",
        "FILE",
        "Tokens: .txt, .csv, .tsv, .jsonl, .parquet, each also .gz or .zst; - is stdin with"
        " --format.",
    ),
]
ProfilesOption = Annotated[
    list[str] | None, _many("--profiles", "FILE", "Profiles: .yaml, .json or .jsonl.")
]
ProfileOption = Annotated[
    list[str] | None, _many("--profile", "ID", "Only this profile; repeatable.")
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="txt|csv|tsv|jsonl|parquet|yaml|json",
        envvar="PUSHCTL_FORMAT",
        show_default=False,
        rich_help_panel=PANEL,
        help="What stdin holds; perhaps with .gz or .zst.",
    ),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        envvar="PUSHCTL_WHERE",
        show_default=False,
        rich_help_panel=PANEL,
        help="Only those whose attributes match, such as 'orders >= 3'.",
    ),
]
SuppressOption = Annotated[
    list[str] | None,
    typer.Option(
        "--suppress",
        metavar="LOG",
        envvar="PUSHCTL_SUPPRESS",
        show_default=False,
        rich_help_panel=PANEL,
        help="Leave out tokens that a bounce log calls dead; - is stdin.",
    ),
]
CredentialOption = Annotated[
    str | None,
    typer.Option(
        "--credential",
        metavar="NAME",
        envvar="PUSHCTL_CREDENTIAL",
        show_default=False,
        help="The FCM credential to use.",
    ),
]
OneByOneOption = Annotated[
    bool,
    typer.Option(
        "--one-by-one",
        envvar="PUSHCTL_ONE_BY_ONE",
        help="Ask for registration tokens singly too, by Google's newer API: slower.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", "-n", envvar="PUSHCTL_DRY_RUN", help="Everything but the asking of Google."
    ),
]
RetryForOption = Annotated[
    str,
    typer.Option(
        "--retry-for", metavar="TIME", envvar="PUSHCTL_RETRY_FOR", help="How long to retry."
    ),
]
