"""The completion script for bash (3.2 and newer)."""

from __future__ import annotations

from collections.abc import Iterable

from pushctl.manual import completing
from pushctl.manual.model import Command

_SCRIPT = r"""# bash completion for pushctl
# @notice@

# Each table answers in REPLY, and fails where it has no answer.

_pushctl_below() {
    case $1 in
@below@
        *) return 1 ;;
    esac
}

_pushctl_options() {
    case $1 in
@options@
        *) return 1 ;;
    esac
}

# What stands behind an option of a command; the option takes no value where this fails.
_pushctl_value() {
    case $1 in
@values@
        *) return 1 ;;
    esac
}

_pushctl_argument() {
    case $1 in
@arguments@
        *) return 1 ;;
    esac
}

_pushctl_reasons='@reasons@'

# Offers the words behind $1 that begin with $1.  What a file says is quoted, never run.
_pushctl_offer() {
    local begun=$1 word
    shift
    for word in "$@"; do
        if [[ $word == "$begun"* ]]; then
            COMPREPLY+=("$(printf '%q' "$word")")
        fi
    done
}

# Offers what is of the kind $2 (and its words) and begins with $1.
_pushctl_offer_kind() {
    local begun=$1 kind=$2 IFS=$' \t\n' word
    local -a found=()
    case $kind in
        words\ *) _pushctl_offer "$begun" ${kind#words } ;;
        reasons) _pushctl_offer "$begun" $_pushctl_reasons ;;
        file) compopt -o default 2>/dev/null || _pushctl_paths -f "$begun" ;;
        folder) compopt -o dirnames 2>/dev/null || _pushctl_paths -d "$begun" ;;
        credentials | runs)
            while IFS= read -r word; do
                found+=("$word")
            done < <(command pushctl __complete "$kind" "${words[@]:1}" 2>/dev/null)
            _pushctl_offer "$begun" ${found[@]+"${found[@]}"}
            ;;
    esac
}

# For bash 3.2, which has no compopt.
_pushctl_paths() {
    local path
    while IFS= read -r path; do
        COMPREPLY+=("$path")
    done < <(compgen "$1" -- "$2")
}

_pushctl() {
    local IFS=$' \t\n' REPLY='' word current at='' waiting='' glue='' index
    local -a words=()
    COMPREPLY=()
    # bash splits words at = and :, and hands these over as words of their own.
    for ((index = 0; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        if ((index > 1)) && [[ $glue || $word == = || $word == : ]]; then
            words[${#words[@]} - 1]+=$word
            glue=''
            [[ $word == = || $word == : ]] && glue=1
        else
            words+=("$word")
        fi
    done
    current=${words[${#words[@]} - 1]}
    for ((index = 1; index < ${#words[@]} - 1; index++)); do
        word=${words[index]}
        if [[ $waiting ]]; then
            waiting=''
        elif [[ $word == --*=* ]]; then
            :
        elif [[ $word == -* ]]; then
            _pushctl_value "$at:$word" && waiting=$word
        elif _pushctl_below "$at" && [[ " $REPLY " == *" $word "* ]]; then
            at=${at:+$at }$word
        fi
    done
    if [[ $waiting ]]; then
        _pushctl_value "$at:$waiting" && _pushctl_offer_kind "$current" "$REPLY"
    elif [[ $current == --*=* ]]; then
        _pushctl_value "$at:${current%%=*}" && _pushctl_offer_kind "${current#*=}" "$REPLY"
    elif [[ $current == -* ]]; then
        _pushctl_options "$at" && _pushctl_offer "$current" $REPLY
    elif _pushctl_below "$at"; then
        _pushctl_offer "$current" $REPLY
    elif _pushctl_argument "$at"; then
        _pushctl_offer_kind "$current" "$REPLY"
    fi
    return 0
}

complete -F _pushctl pushctl
"""


def script(root: Command) -> str:
    """Return the completion script for the commands of *root*."""
    fillings = {
        "notice": completing.NOTICE,
        "below": _table((f"'{at}'", " ".join(it)) for at, it in completing.below(root).items()),
        "options": _table(
            (f"'{at}'", " ".join(it)) for at, it in completing.option_names(root).items()
        ),
        "values": _table(
            (" | ".join(map(_pattern, patterns)), str(kind))
            for kind, patterns in completing.kinds(root).items()
        ),
        "arguments": _table((f"'{at}'", str(it)) for at, it in completing.arguments(root).items()),
        "reasons": " ".join(completing.reasons()),
    }
    text = _SCRIPT
    for name, filling in fillings.items():
        text = text.replace(f"@{name}@", filling)
    return text


def _pattern(pattern: str) -> str:
    command, _, option = pattern.partition(":")
    return f"*:{option}" if command == "*" else f"'{pattern}'"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"        {pattern}) REPLY='{answer}' ;;" for pattern, answer in rows)
