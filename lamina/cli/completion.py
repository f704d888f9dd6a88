"""`lamina completion SHELL`: print a completion script for commands, options and files, generated from the parser."""

from __future__ import annotations

import argparse
from typing import Any

from lamina.cli.parser import make_parser

__all__ = ["completion", "main"]


def main(args: argparse.Namespace) -> None:
    """Print the completion script."""
    print(completion(args.shell))


def completion(shell: str) -> Any:
    """The completion script for a shell: "bash", "zsh" or "fish"."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](_commands())


def _commands():
    """{name: (help, [(flags, help, choices)], choices of its positional argument)} for each command."""
    parser = make_parser()
    subparsers = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    helps = {action.dest: action.help or "" for action in subparsers._choices_actions}
    commands = {}
    for name, command in subparsers.choices.items():
        command.extend()
        options = [(a.option_strings, a.help or "", a.choices or ()) for a in command._actions if a.option_strings]
        values = [value for a in command._actions if not a.option_strings for value in a.choices or ()]
        commands[name] = helps[name], options, values
    return commands


def _words(options, values):
    return " ".join([*(flag for flags, _, _ in options for flag in flags), *values])


def _bash(commands):
    cases = "\n".join(
        f'        {name}) words="{_words(options, values)}" ;;' for name, (_, options, values) in commands.items()
    )
    return f"""_lamina() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{" ".join(commands)} --help --version" -- "$current"))
        return
    fi
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _lamina lamina"""


def _zsh(commands):
    names = "\n".join(f"        '{name}:{_quoted(about)}'" for name, (about, _, _) in commands.items())
    cases = "\n".join(
        f"        {name}) compadd -- {_words(options, values)}; _files ;;"
        for name, (_, options, values) in commands.items()
    )
    return f"""#compdef lamina
_lamina() {{
    local -a commands
    commands=(
{names}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case "$words[2]" in
{cases}
    esac
}}
if [ "$funcstack[1]" = "_lamina" ]; then _lamina "$@"; else compdef _lamina lamina; fi"""


def _fish(commands):
    lines = []
    for name, (about, options, values) in commands.items():
        lines.append(f"complete -c lamina -n __fish_use_subcommand -f -a {name} -d '{_quoted(about)}'")
        seen = f"complete -c lamina -n '__fish_seen_subcommand_from {name}'"
        if values:
            lines.append(f"{seen} -f -a '{' '.join(values)}'")
        for flags, about_flag, choices in options:
            spelled = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in flags)
            some = f" -x -a '{' '.join(choices)}'" if choices else ""
            lines.append(f"{seen} {spelled}{some} -d '{_quoted(about_flag)}'")
    return "\n".join(lines)


def _quoted(text):
    return text.replace("'", "").replace(":", ",")
