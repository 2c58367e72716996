"""The completion script for PowerShell (5.1 and newer)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pushctl.manual import completing
from pushctl.manual.model import Command

_SCRIPT = r"""# PowerShell completion for pushctl
# @notice@

Register-ArgumentCompleter -Native -CommandName pushctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $below = @{
@below@
    }
    $options = @{
@options@
    }
    $values = @{
@values@
    }
    $arguments = @{
@arguments@
    }
    $reasons = @reasons@

    function Find-Kind($at, $name) {
        if ($values.ContainsKey("*:$name")) { return $values["*:$name"] }
        return $values["${at}:$name"]
    }

    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition -or $wordToComplete -eq '' } |
        Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
    $at = ''
    $waiting = $null
    foreach ($word in $words) {
        if ($waiting) { $waiting = $null; continue }
        if ($word -like '--*=*') { continue }
        if ($word -like '-*') {
            if (Find-Kind $at $word) { $waiting = $word }
            continue
        }
        if ($below[$at] -ccontains $word) { $at = "$at $word".Trim() }
    }

    $front = ''
    $begun = $wordToComplete
    $kind = $null
    if ($waiting) {
        $kind = Find-Kind $at $waiting
    } elseif ($begun -like '--*=*') {
        $name, $begun = $begun -split '=', 2
        $front = "$name="
        $kind = Find-Kind $at $name
    } elseif ($begun -like '-*') {
        $found = $options[$at]
    } elseif ($below.ContainsKey($at)) {
        $found = $below[$at]
    } else {
        $kind = $arguments[$at]
    }
    if ($kind) {
        $found = switch -Wildcard ($kind) {
            'words *' { $kind.Substring(6) -split ' ' }
            'reasons' { $reasons }
            'credentials' { & pushctl __complete credentials $words 2>$null }
            'runs' { & pushctl __complete runs $words 2>$null }
        }
    }
    # Nothing found: PowerShell offers files.
    $found | Where-Object { $_ -and $_.StartsWith($begun, 'Ordinal') } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new("$front$_", $_, 'ParameterValue', $_)
    }
}
"""


def script(root: Command) -> str:
    """Return the completion script for the commands of *root*."""
    values = {
        pattern: str(kind)
        for kind, patterns in completing.kinds(root).items()
        for pattern in patterns
    }
    fillings = {
        "notice": completing.NOTICE,
        "below": _lists(completing.below(root)),
        "options": _lists(completing.option_names(root)),
        "values": _pairs(values),
        "arguments": _pairs({at: str(it) for at, it in completing.arguments(root).items()}),
        "reasons": _list(completing.reasons()),
    }
    text = _SCRIPT
    for name, filling in fillings.items():
        text = text.replace(f"@{name}@", filling)
    return text


def _lists(table: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"        {_quoted(at)} = {_list(names)}" for at, names in table.items())


def _pairs(table: Mapping[str, str]) -> str:
    return "\n".join(f"        {_quoted(key)} = {_quoted(it)}" for key, it in table.items())


def _list(words: Iterable[str]) -> str:
    return f"@({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
