"""The screen of a send: banner, progress, one line or row a push, and the summary."""

from __future__ import annotations

import dataclasses
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat

from pushctl.dispatch.lane import Lane
from pushctl.dispatch.thresholds import Stop
from pushctl.errors import CredentialsRefused, Problem, Unreachable
from pushctl.job.binding import Binding
from pushctl.job.ending import Ending
from pushctl.job.recorder import OnRecord
from pushctl.job.survey import Survey
from pushctl.outcome import Kind, Outcome
from pushctl.records.masking import masked
from pushctl.records.record import Record, to_line
from pushctl.rules.text import printable
from pushctl.view.outcomes import (
    SHOWN_ONE_BY_ONE,
    CsvWriter,
    Reasons,
    push_line,
    push_table,
    reason_groups,
    summary_document,
    totals_line,
)
from pushctl.view.progress import PLAIN_EVERY_S, ProgressDisplay, Snapshot
from pushctl.view.terminal import Terminal
from pushctl.view.trace import WireTrace
from pushctl.view.words import broken
from pushctl.wire.errors import ConnectFailed

Allow = Callable[[Survey, Mapping[str, Binding]], None]


class Screen:
    """Follows one send for a person (stderr) and for whoever reads its data (stdout)."""

    def __init__(
        self,
        terminal: Terminal,
        output: str,
        *,
        progress: str,
        consent: str,
        warnings: Sequence[Problem] = (),
        allow: Allow = lambda _found, _bindings: None,
        mask_key: bytes | None = None,
    ) -> None:
        """
        *output* is the ``-o`` of the command, *consent* what the audience says about it,
        *warnings* what is doubtful about the message once it was judged, *allow* raises if the
        send may not go on.  With a *mask_key* no token is shown.
        """
        self.on_record: OnRecord | None = None
        self.trace = WireTrace(terminal, mask_key) if terminal.verbose >= 2 else None
        self._terminal = terminal
        self._output = output
        self._consent = consent
        self._reasons = Reasons()
        self._records: list[Record] = []
        self._csv: CsvWriter | None = None
        self._display = ProgressDisplay(
            terminal, plain=progress == "plain", interval_s=PLAIN_EVERY_S
        )
        self._shows_progress = progress != "never" and terminal.quiet == 0
        self._asked = False
        self._warnings = warnings
        self._allow = allow
        self._mask_key = mask_key

    # -- while the run goes on ----------------------------------------------------------------

    def planned(self, run: str, found: Survey, bindings: Mapping[str, Binding]) -> None:
        """Print the banner and choose how outcomes are shown."""
        terminal = self._terminal
        arrow = "▸" if terminal.unicode else ">"
        for lane, binding in bindings.items():
            credential = binding.credential
            where = [binding.settings.name, {"apns": "APNs", "fcm": "FCM"}[binding.service.value]]
            where += [str(part) for part in (credential.environment,) if part]
            where += [part for part in (credential.topic, credential.project_id) if part]
            number = found.sendable[lane]
            whom = "channel" if binding.to_channel else "recipient"
            where += [credential.fingerprint, f"{number:,} {whom}{'s' * (number != 1)}"]
            dot = " · " if terminal.unicode else ", "
            room = terminal.width - 2 if terminal.err_is_tty else None
            lines = broken([printable(part, 200) for part in where], dot, room)
            for mark, line in zip(chain(arrow, repeat(" ")), lines, strict=False):
                terminal.say(f"{mark} {line}", style="cyan")
        terminal.say(f"  run {run}, consent: {self._consent}")
        doubts: list[Problem] = []
        for binding in bindings.values():
            doubts += binding.credential.warnings
        for warning in (*doubts, *self._warnings):
            place = f"{warning.place}: " if warning.place else ""
            terminal.warn(place + warning.message, hint=warning.hint)
        self._allow(found, bindings)
        self._choose_records(found)

    def outcome(self, service: str | None, outcome: Outcome) -> None:
        """Count an outcome that was not accepted."""
        self._reasons.add(service, outcome)

    def connecting(self, lane: Lane, problem: ConnectFailed, retry_in_s: float | None) -> None:
        """Say that a connection could not be opened: an error once it is not tried again."""
        said = f"{lane.name}: {problem}"
        if retry_in_s is None:
            self._terminal.error(Unreachable(said, hint=problem.hint))
        else:
            self._terminal.warn(f"{said}; trying again in {retry_in_s:g} s", hint=problem.hint)

    def stopping(self, stop: Stop, in_flight: int) -> None:
        """Say that the run ends early."""
        self._terminal.say(
            f"stopping: {printable(stop.why)}; waiting for {in_flight:,} answers"
            " (Ctrl-C again to stop now)",
            style="yellow",
        )

    def tick(self, snapshot: Snapshot) -> None:
        """Show where the run stands, if it is time or was asked for."""
        now = dataclasses.replace(snapshot, reasons=self._reasons.top(3))
        if self._asked:
            self._asked = False
            self._display.print_now(now)
        elif self._shows_progress:
            self._display.tick(now)

    def ask_progress(self) -> None:
        """Have the next tick print where the run stands (SIGUSR1).  Safe in a signal handler."""
        self._asked = True

    # -- afterwards ---------------------------------------------------------------------------

    def close(self) -> None:
        """Take the progress off the screen."""
        self._display.close()

    def summary(self, ending: Ending) -> None:
        """Print what became of the run: data to stdout, talk to stderr, the next step last."""
        self.close()
        if self._output == "json":
            document = summary_document(
                run=ending.run,
                campaign=ending.campaign,
                totals=ending.totals,
                reasons=self._reasons,
                duration_s=ending.duration_s,
                bounce_log=ending.bounce_log,
            )
            self._terminal.data(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        elif self._output == "table":
            if self._records:
                push_table(sorted(self._records, key=lambda record: record["row"]), self._terminal)
            if self._reasons.counts:
                if self._records:
                    self._terminal.data("\n")
                reason_groups(self._reasons, self._terminal)
        self._talk(ending)

    def _choose_records(self, found: Survey) -> None:
        terminal = self._terminal
        if self._output == "jsonl":
            self.on_record = lambda record: terminal.data(to_line(record))
        elif self._output == "csv":
            self._csv = CsvWriter(terminal)
            self._csv.write([])
            self.on_record = lambda record: self._csv_row(record)
        elif self._output == "table" and found.inputs <= SHOWN_ONE_BY_ONE:
            self.on_record = self._records.append
        elif terminal.verbose:
            self.on_record = lambda record: terminal.say(push_line(record, terminal))
        key, show = self._mask_key, self.on_record
        if key is not None and show is not None:
            self.on_record = lambda record: show(masked(record, key))

    def _csv_row(self, record: Record) -> None:
        assert self._csv is not None
        self._csv.write([record])

    def _talk(self, ending: Ending) -> None:
        terminal = self._terminal
        seconds = ending.duration_s
        sent = sum(ending.totals[kind] for kind in (Kind.ACCEPTED, Kind.REJECTED, Kind.UNKNOWN))
        rate = f", {sent / seconds:,.0f}/s" if seconds > 0.5 and sent > 1 else ""
        terminal.say(f"{totals_line(ending.totals, terminal)}  ({seconds:.1f} s{rate})")
        if ending.totals[Kind.ACCEPTED]:
            terminal.say(
                "accepted means accepted by the service; whether a device showed it, nobody tells",
                style="dim",
            )
        for name, reason in ending.refused:
            terminal.error(CredentialsRefused(f"credential {name!r} was refused: {reason}"))
        if ending.stop is not None and ending.stop.kind in ("canary", "threshold", "deadline"):
            terminal.warn(f"stopped: {ending.stop.why}", hint=ending.stop.hint)
        unknown = ending.totals[Kind.UNKNOWN]
        if unknown:
            terminal.warn(
                f"{unknown:,} {'is' if unknown == 1 else 'are'} unknown: sent and never answered;"
                " pushctl does not send again by itself what may have arrived"
            )
        if not sent and not ending.totals[Kind.NOT_SENT]:
            terminal.warn("nothing was sent")
        if ending.totals[Kind.REJECTED]:
            terminal.say(f"bounce log: {ending.bounce_log}")
        self._next(ending)

    def _next(self, ending: Ending) -> None:
        if ending.totals[Kind.NOT_SENT] or (ending.stop is not None and ending.resumable):
            self._terminal.next_step(f"pushctl runs resume {ending.run}")
            return
        named = [key for key in self._reasons.counts if key.reason and key.status]
        if named:
            self._terminal.next_step(f"pushctl explain {named[0].reason}")


def on_usr1(screen: Screen) -> None:
    """Have SIGUSR1 (and SIGINFO where there is one) print the progress."""
    for name in ("SIGUSR1", "SIGINFO"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: screen.ask_progress())
