"""Asks before a bulk send through a protected credential."""

from __future__ import annotations

from collections.abc import Mapping

from pushctl.errors import UsageError
from pushctl.job.binding import Binding
from pushctl.job.survey import Survey
from pushctl.view.terminal import Terminal


def confirm(
    terminal: Terminal,
    found: Survey,
    bindings: Mapping[str, Binding],
    *,
    yes: bool,
    count: int | None,
) -> None:
    """
    Return if the send may go on; raise :class:`UsageError` if not.

    A push to one token is never asked about; one to a channel is, for it reaches many.  *yes* and
    the exact *count* are for scripts.
    """
    if count is not None and count != found.to_send:
        raise UsageError(
            f"--confirm {count:,}, but {found.to_send:,} pushes would be sent",
            hint="see who they are with --dry-run",
        )
    protected = [binding for binding in bindings.values() if binding.settings.protected]
    reaches_many = any(binding.to_channel for binding in protected)
    is_one = found.to_send < 2 and not reaches_many
    if not protected or is_one or yes or count is not None:
        return
    names = " and ".join(dict.fromkeys(binding.settings.name for binding in protected))
    if not terminal.may_ask:
        raise UsageError(
            f"{names} is protected: {_pushes(found.to_send, reaches_many)} your word",
            hint=f"add --confirm {found.to_send}, or --yes",
        )
    answer = terminal.ask(
        f"{names} is protected. To send {found.to_send:,} pushes, type their number:"
    )
    if answer.replace(",", "") != str(found.to_send):
        raise UsageError("not confirmed: nothing was sent")


def _pushes(number: int, to_channel: bool) -> str:
    whom = " to a channel" if to_channel else ""
    return f"1 push{whom} needs" if number == 1 else f"{number:,} pushes need"
