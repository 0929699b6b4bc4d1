"""`warden`: the operator's command line.

Exit status: 0 fine, 1 there are findings (scan) or the answer is no, 2 it could not run. What a machine reads goes
to stdout; progress and messages go to stderr.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from typing import TYPE_CHECKING, Any

from console import paths
from warden.core.errors import WardenError

if TYPE_CHECKING:
    from collections.abc import Sequence

COULD_NOT_RUN = 2
_INTERRUPTED = 130
_NEWEST = 50
"""How many entries `warden ledger` shows unasked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except WardenError as error:
        print(f"warden: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`warden scan | head`); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="warden",
        description="Detects drift of Aurora and RDS from a security baseline, and remediates it or opens a ticket.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_scan(commands)
    _add_replay(commands)
    _add_controls(commands)
    _add_policy(commands)
    _add_approvals(commands)
    _add_stop(commands)
    _add_acknowledge(commands)
    _add_undo(commands)
    _add_ledger(commands)
    _add_explain(commands)
    _add_tickets(commands)
    _add_doctor(commands)
    return parser


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("demo", help="watch drift being found and fixed on the embedded local AWS")
    command.add_argument("--slow", action="store_true", help="pause between the scenes, for an audience")

    def run(options: argparse.Namespace) -> int:
        from console.demo import demo  # noqa: PLC0415 - moto takes a second to import; only this needs it

        return demo(slow=options.slow)

    command.set_defaults(run=run)


def _add_scan(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "scan",
        help="read-only: judge everything in an account and show what would be done",
        description=(
            "Reads whatever AWS the usual boto3 settings name (credentials, profile, AWS_ENDPOINT_URL). Decisions are "
            "those of a ceiling of remediate and an empty history. Exit status: 0 clean, 1 findings, 2 it could not "
            "run, or found nothing but could not evaluate everything."
        ),
    )
    command.add_argument("--region", action="append", default=[], help="a Region (repeat for several)")
    command.add_argument(
        "--control", action="append", default=[], metavar="ID", help="only this control (repeat for several)"
    )
    command.add_argument("--all", action="store_true", help="also list what is compliant or not applicable")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text")
    command.add_argument("--policy", default=str(paths.POLICY), metavar="FILE", help="the policy file")
    command.add_argument("--profile", default=None, help="a profile of the AWS configuration")
    command.add_argument(
        "--requests-per-second",
        type=_at_least_one,
        default=None,
        metavar="N",
        help="how fast RDS is asked (default: the policy's [requests], 3)",
    )

    def run(options: argparse.Namespace) -> int:
        # What a scan imports and keeps, it keeps to its end; `scan.run` looks for garbage again, seldom.
        gc.disable()
        from console import scan  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return scan.run(
            regions=options.region,
            controls=options.control,
            show_all=options.all,
            output=options.format,
            policy_file=options.policy,
            profile=options.profile,
            requests_per_second=options.requests_per_second,
        )

    command.set_defaults(run=run)


def _add_replay(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "replay",
        help="send event files through the template's rules and the whole pipeline, on the embedded local AWS",
        description=(
            "Seeds the resource that each event names with drift that the baseline does not allow, puts the event on "
            "the bus, and shows what happens; or which rule does not match, and why."
        ),
    )
    command.add_argument(
        "files", nargs="+", metavar="FILE", help="a JSON file with one event, as AWS delivers it"
    )
    command.add_argument("--dry-run", action="store_true", help="decide, but write nothing")
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument("--policy", default=str(paths.POLICY), metavar="FILE", help="the policy file")

    def run(options: argparse.Namespace) -> int:
        from console import replay  # noqa: PLC0415 - moto takes a second to import; only this needs it

        return replay.run(
            files=options.files,
            dry_run=options.dry_run,
            output=options.format,
            policy_file=options.policy,
        )

    command.set_defaults(run=run)


def _add_controls(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "controls",
        help="list the controls",
        description=(
            "Lists every control: its severity, and what Warden does about drift. With --framework, each requirement "
            "of one framework that controls map to, with those controls; docs/reference/frameworks.md has the same."
        ),
    )
    command.add_argument(
        "--framework", default=None, metavar="KEY", help="a framework, such as pci-dss-4 or security-hub"
    )
    command.add_argument("--format", choices=("text", "json"), default="text")

    def run(options: argparse.Namespace) -> int:
        from console import catalogue  # noqa: PLC0415 - each command imports what it needs

        return catalogue.run(output=options.format, framework=options.framework)

    command.set_defaults(run=run)


def _add_policy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    policy = commands.add_parser("policy", help="work with policy files")
    verbs = policy.add_subparsers(required=True, metavar="VERB")
    check = verbs.add_parser("check", help="check a policy file, and show what it means")
    check.add_argument("file", metavar="FILE")

    def run(options: argparse.Namespace) -> int:
        from console import policy as policy_command  # noqa: PLC0415 - each command imports what it needs

        return policy_command.check(options.file)

    check.set_defaults(run=run)


def _add_acknowledge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "acknowledge",
        help="let a deployment go on that waits for somebody to look: a spent budget, failed fixes, a first sweep",
        description=(
            "A budget that was passed stays spent, and a control whose fixes failed stays stopped, however many hours "
            "go by, until somebody has looked. With --day-one: show what the first sweep of each control found, and "
            "let what the policy says follow. Exit status: 0 they go on, 1 nothing waited, or nobody said yes."
        ),
    )
    command.add_argument("--reason", required=True, help="why; it goes into the ledger")
    command.add_argument(
        "--day-one", action="store_true", help="acknowledge first sweeps, instead of budgets and failed fixes"
    )
    command.add_argument("--yes", action="store_true", help="with --day-one: acknowledge without asking you")
    command.add_argument(
        "--control", action="append", metavar="ID", help="with --day-one: of this control alone; repeatable"
    )
    command.add_argument(
        "--policy",
        default=None,
        help="with --day-one: the policy of the deployment (default: the one it names)",
    )
    _add_deployment(command)

    def run(options: argparse.Namespace) -> int:
        from console import day_one, stop  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        if options.day_one:
            return day_one.acknowledge(
                controls=options.control,
                reason=options.reason,
                yes=options.yes,
                policy_file=options.policy,
                **_deployment(options),
            )
        return stop.acknowledge(
            reason=options.reason,
            **_deployment(options),
        )

    command.set_defaults(run=run)


def _add_undo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "undo",
        help="take a write of Warden's back, by its entry of the ledger",
        description=(
            "Shows what was written and the call that takes it back; refuses where the resource has changed since, or "
            "there is no way back that Warden may go. What is taken back is left alone for a while. Exit status: 0 it "
            "was asked for, 1 it cannot be taken back, or was not asked for."
        ),
    )
    command.add_argument(
        "entry", metavar="ENTRY", help="CHAIN@NUMBER, as `warden ledger` shows it beneath a write"
    )
    command.add_argument("--reason", required=True, help="why; it goes into the ledger")
    command.add_argument("--yes", action="store_true", help="ask for it without asking you")
    command.add_argument(
        "--policy", default=None, help="the policy of the deployment (default: the one it names)"
    )
    _add_deployment(command)

    def run(options: argparse.Namespace) -> int:
        from console import undo  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return undo.run(
            entry=options.entry,
            reason=options.reason,
            yes=options.yes,
            policy_file=options.policy,
            **_deployment(options),
        )

    command.set_defaults(run=run)


def _add_deployment(command: argparse.ArgumentParser) -> None:
    """The options that say which deployment a command is about."""
    command.add_argument(
        "--stack", default="aurora-warden", help="the CloudFormation stack of the deployment"
    )
    command.add_argument("--region", default=None, help="the Region of the stack")
    command.add_argument("--profile", default=None, help="a profile of the AWS configuration")


def _add_approvals(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "approvals",
        help="list what a deployment may only do when somebody approves",
        description="Lists the requests with their exact calls. Exit status: 0 nothing waits, 1 something does.",
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument("--policy", default=str(paths.POLICY), metavar="FILE", help="the policy file")
    _add_deployment(command)

    def show(options: argparse.Namespace) -> int:
        from console import approvals  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return approvals.show(
            output=options.format,
            policy_file=options.policy,
            **_deployment(options),
        )

    command.set_defaults(run=show)
    for name, text in (
        ("approve", "let a deployment make the calls of one request, once"),
        ("reject", "tell a deployment not to make the calls of one request"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("request", metavar="ID", help="as `warden approvals` and the ticket show it")
        command.add_argument("--reason", required=True, help="why; it goes into the ledger")
        command.add_argument("--policy", default=str(paths.POLICY), metavar="FILE", help="the policy file")
        _add_deployment(command)

        def run(options: argparse.Namespace, *, approving: bool = name == "approve") -> int:
            from console import approvals  # noqa: PLC0415 - the same

            return approvals.answer(
                options.request,
                approving=approving,
                reason=options.reason,
                policy_file=options.policy,
                **_deployment(options),
            )

        command.set_defaults(run=run)


def _add_stop(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, text in (
        ("stop", "stop all writes of a deployment at once"),
        ("resume", "let a stopped deployment write again"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--reason", required=True, help="why; it goes into the ledger")
        _add_deployment(command)

        def run(options: argparse.Namespace, *, stopping: bool = name == "stop") -> int:
            from console import stop  # noqa: PLC0415 - boto3 is not needed for the other commands' help

            return stop.run(
                stopping=stopping,
                reason=options.reason,
                **_deployment(options),
            )

        command.set_defaults(run=run)


def _add_ledger(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "ledger",
        help="read-only: what a deployment has recorded of a resource, and whether the record is whole",
        usage=(
            "warden ledger [ARN] [--since WHEN] [--limit N] [--format text|json] [--stack STACK] [...]\n"
            "       warden ledger verify [--heads FILE | --logged DAYS] [--format text|json] [--stack STACK] [...]\n"
            "       warden ledger heads [--stack STACK] [...]"
        ),
        description=(
            "Without a word, the newest entries of all; with an ARN, those of the resource, whatever it was called "
            "then. `verify` computes the chain of every resource anew: exit status 0 whole, 1 something was changed, 2 "
            "it could not be read. `heads` prints where each chain ends, to be kept elsewhere and given to `verify`; "
            "`--logged` takes what the deployment itself has logged of that each day."
        ),
    )
    command.add_argument(
        "what", nargs="?", default=None, metavar="ARN | verify | heads", help="a resource, a chain, or a verb"
    )
    command.add_argument("--since", metavar="WHEN", help="only later entries: a day, a time, or 36h, 7d")
    command.add_argument("--limit", type=_count, metavar="N", help="the newest N entries (50); 0 for all")
    kept = command.add_mutually_exclusive_group()
    kept.add_argument("--heads", metavar="FILE", help="verify: heads that were kept elsewhere")
    kept.add_argument(
        "--logged",
        type=_at_least_one,
        metavar="DAYS",
        help="verify: the heads in the deployment's log of so many days",
    )
    command.add_argument("--format", choices=("text", "json"), default=None)
    _add_deployment(command)

    def run(options: argparse.Namespace) -> int:
        deployment = {"stack": options.stack, "region": options.region, "profile": options.profile}
        match options.what:
            case "verify":
                from console import ledger_verify  # noqa: PLC0415 - boto3 is not needed for the other commands' help

                _refuse(command, options, "since", "limit")
                output = options.format or "text"
                return ledger_verify.verify(
                    heads_file=options.heads, logged_days=options.logged, output=output, **deployment
                )
            case "heads":
                from console import ledger_verify  # noqa: PLC0415 - the same

                _refuse(command, options, "since", "limit", "heads", "logged", "format")
                return ledger_verify.heads(**deployment)
            case name:
                from console import ledger  # noqa: PLC0415 - the same

                _refuse(command, options, "heads", "logged")
                return ledger.run(
                    name=name,
                    since=options.since,
                    limit=_NEWEST if options.limit is None else options.limit,
                    output=options.format or "text",
                    **deployment,
                )

    command.set_defaults(run=run)


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "explain",
        help="read-only: why something happened to a resource, or did not, and what would change that",
        description=(
            "Without CONTROL, a paragraph for each finding of the resource; with it, everything that is known of that "
            "finding: its cause, the facts, the rows of the decision table, and what would have to change for Warden "
            "to act. Reads what the deployment has kept, not the database; `warden scan` judges that."
        ),
    )
    command.add_argument("arn", metavar="ARN", help="the resource, by its name of now or of before")
    command.add_argument("control", nargs="?", default=None, metavar="CONTROL", help="one control's id")
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument(
        "--policy",
        default=None,
        metavar="FILE",
        help="the policy file, instead of the one that the stack names",
    )
    _add_deployment(command)

    def run(options: argparse.Namespace) -> int:
        from console import explain  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return explain.run(
            arn=options.arn,
            control=options.control,
            output=options.format,
            policy_file=options.policy,
            **_deployment(options),
        )

    command.set_defaults(run=run)


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "doctor",
        help="check whether a deployment can do its work: events, trail, queues, roles, ticket sinks",
        description=(
            "Reads, and says of everything that does not work what to do. The sinks are checked from here, with the "
            "credentials of whoever runs this. Exit status: 0 nothing failed, 1 something did, 2 it could not run."
        ),
    )
    command.add_argument(
        "--write", action="store_true", help="also create a test ticket in each sink, and close it"
    )
    command.add_argument(
        "--sink",
        action="append",
        default=[],
        metavar="NAME",
        help="check only this sink (repeat for several)",
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument(
        "--policy",
        default=None,
        metavar="FILE",
        help="the policy file, instead of the one that the stack names",
    )
    _add_deployment(command)

    def run(options: argparse.Namespace) -> int:
        from console import doctor  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return doctor.run(
            write=options.write,
            only=tuple(options.sink),
            output=options.format,
            policy_file=options.policy,
            **_deployment(options),
        )

    command.set_defaults(run=run)


def _add_tickets(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "tickets",
        help="list the tickets of a deployment, where each was told, and what still waits",
        description="Exit status: 0 everything was told, 1 something waits for a sink.",
    )
    command.add_argument(
        "--ticket", default=None, metavar="NAME", help="one, and of a collection all findings"
    )
    command.add_argument("--all", action="store_true", help="those that are resolved, too")
    command.add_argument("--format", choices=("text", "json"), default="text")
    command.add_argument("--policy", default=str(paths.POLICY), metavar="FILE", help="the policy file")
    _add_deployment(command)

    def show(options: argparse.Namespace) -> int:
        from console import tickets  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return tickets.show(
            key=options.ticket,
            everything=options.all,
            output=options.format,
            policy_file=options.policy,
            **_deployment(options),
        )

    command.set_defaults(run=show)
    command = commands.add_parser(
        "requests",
        help="list the exemptions that people ask for by closing tickets as not to be fixed",
        description="Nothing is exempt by a request. Exit status: 0 nobody asks, 1 somebody does.",
    )
    command.add_argument("--format", choices=("text", "json"), default="text")
    _add_deployment(command)

    def requests(options: argparse.Namespace) -> int:
        from console import exemption_requests  # noqa: PLC0415 - boto3 is not needed for the other commands' help

        return exemption_requests.show(output=options.format, **_deployment(options))

    command.set_defaults(run=requests)
    answers = command.add_subparsers(title="answers", metavar="ANSWER")
    command = answers.add_parser(
        "refuse",
        help="refuse one: its ticket is opened again, and says who refused it and why",
        description="Exit status: 0 it is refused, 1 its ticket is resolved already.",
    )
    command.add_argument("request", metavar="ID", help="as `warden requests` shows it")
    command.add_argument("--reason", required=True, help="why; it goes into the ticket and the ledger")
    _add_deployment(command)

    def refuse(options: argparse.Namespace) -> int:
        from console import exemption_requests  # noqa: PLC0415 - the same

        return exemption_requests.refuse(options.request, reason=options.reason, **_deployment(options))

    command.set_defaults(run=refuse)


def _deployment(options: argparse.Namespace) -> dict[str, Any]:
    """Which deployment the options of `_add_deployment` name."""
    return {"stack": options.stack, "region": options.region, "profile": options.profile}


def _refuse(command: argparse.ArgumentParser, options: argparse.Namespace, *names: str) -> None:
    """Refuse options that mean nothing for the verb."""
    for name in names:
        if getattr(options, name) is not None:
            said = " ".join(["warden ledger", *filter(None, [options.what])])
            command.error(f"--{name} means nothing for `{said}`")


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError
    return number


if __name__ == "__main__":
    sys.exit(main())
