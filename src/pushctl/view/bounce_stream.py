"""Shows bounces as they come in, each reason explained once, and a summary at the end."""

from __future__ import annotations

from collections.abc import Mapping

from pushctl import catalog
from pushctl.outcome import Kind
from pushctl.records.masking import masked
from pushctl.records.reading import Bounce, CountsAdded, RunEnded
from pushctl.records.record import Record, to_line
from pushctl.rules.text import printable, shorten_token
from pushctl.view.outcomes import TOKEN_WORDS, Reasons, answer_words, totals_line, wrapped
from pushctl.view.runs import outcome_of
from pushctl.view.terminal import Terminal
from pushctl.view.words import SERVICE_NAMES, percent, plural, span

_ADVICE_SHOWN = 2


class BounceStream:
    """A live view of a bounce log: data on stdout, talk on stderr."""

    def __init__(self, terminal: Terminal, output: str, mask_key: bytes | None = None) -> None:
        """*output* is ``table`` or ``jsonl``; with a *mask_key* tokens are masked."""
        self._terminal = terminal
        self._output = output
        self._mask_key = mask_key
        self._reasons = Reasons()
        self._seen: set[tuple[object, ...]] = set()
        self._accepted = self._rejected = 0
        self._warned_newer = False

    def bounce(self, bounce: Bounce, *, live: bool) -> None:
        """Show one bounce; *live*: it happened while we looked, so it is counted."""
        record = bounce.record
        if self._mask_key is not None:
            record = masked(record, self._mask_key)
        if bounce.newer and not self._warned_newer:
            self._warned_newer = True
            self._terminal.warn(
                "the log has lines of a newer pushctl; what this one knows of them is shown"
            )
        if live:
            self._reasons.add(record["service"], outcome_of(record))
        if self._output == "jsonl":
            self._terminal.data(to_line(record))
            return
        self._terminal.data(self._line(record) + "\n")
        key = tuple(record[name] for name in ("service", "status", "reason", "case"))
        if key not in self._seen or self._terminal.verbose:
            self._seen.add(key)
            self._explain(record)

    def counts(self, added: CountsAdded) -> None:
        """Add what the runs say they sent while we looked."""
        self._accepted += added.accepted
        self._rejected += added.rejected

    def run_ended(self, ended: RunEnded) -> None:
        """Say that a run is over."""
        of = f" of {printable(ended.campaign, 80)}" if ended.campaign else ""
        run = printable(ended.run or "?", 80)
        self._terminal.say(f"run {run}{of} is over: {totals_line(ended.totals, self._terminal)}")

    def summary(self, elapsed_s: float) -> None:
        """Say how much came in *elapsed_s* seconds, by reason."""
        say, counts = self._terminal.say, self._reasons.counts
        total = sum(counts.values())
        say(f"{plural(total, 'bounce')} in {span(elapsed_s)}")
        width = max((len(f"{number:,}") for number in counts.values()), default=0)
        for key, number in self._reasons.ranked():
            service = SERVICE_NAMES.get(key.service or "", key.service or "")
            words = [service, str(key.status or ""), printable(key.reason or "no reason", 120)]
            words += [f"({printable(key.case, 80)})"] if key.case else []
            title = " ".join(word for word in words if word)
            say(f"  {number:>{width},}  {title}, token: {key.token_action}")
        sent = self._accepted + self._rejected
        if sent > 0:
            rate = percent(self._rejected, sent)
            say(
                f"the runs counted {self._accepted:,} accepted and {self._rejected:,} bounced"
                f" ({rate}) in that time"
            )
        if self._reasons.counts:
            top = self._reasons.ranked()[0][0]
            if top.reason:
                self._terminal.next_step(f"pushctl explain {printable(top.reason, 80)}")

    def _line(self, record: Record) -> str:
        terminal = self._terminal
        mark = terminal.paint(terminal.mark(Kind.REJECTED), "red", out=True)
        service = SERVICE_NAMES.get(record["service"] or "", "–" if terminal.unicode else "-")
        answer = terminal.paint(answer_words(record) or "no reason given", "bold", out=True)
        parts = [_clock(record["time"]), mark, f"{service:<4}", answer, _token(record, terminal)]
        parts += [
            f"{name} {printable(record[name], 60)}"
            for name in ("profile", "campaign")
            if record[name]
        ]
        return "  ".join(parts)

    def _explain(self, record: Record) -> None:
        terminal = self._terminal
        if record["description"]:
            wrapped(terminal, "", record["description"])
        detail = record["detail"]
        if detail and detail != record["description"]:
            wrapped(terminal, "detail: ", detail)
        row = catalog.of_record(
            record["service"], record["reason"], status=record["status"], case=record["case"]
        )
        for advice in row.what_to_do[:_ADVICE_SHOWN] if row else ():
            wrapped(terminal, "do: ", advice)
        wrapped(terminal, "token: ", TOKEN_WORDS[record["token_action"]])


def _clock(time: str | None) -> str:
    """Return day and time of day, UTC, of an RFC 3339 *time*."""
    text = printable(time or "", 40)
    return f"{text[:10]} {text[11:19]}" if len(text) >= 20 else text or "no time"


def _token(record: Mapping[str, str | None], terminal: Terminal) -> str:
    token = record["token"]
    if not token:
        return "(no token)"
    text = shorten_token(token)
    return text if terminal.unicode else text.replace("…", "..")
