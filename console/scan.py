"""`warden scan`: judge everything in an account, read-only, and show what would be done about it."""

from __future__ import annotations

import csv
import gc
import json
import math
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import botocore
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from console import paths
from console.rows import Json, NoRoomError, Rows
from warden.controls import all_controls
from warden.core import conditions
from warden.core.control import ComplianceType, grouped
from warden.core.decision import Mode
from warden.core.errors import AccessDeniedError, ConfigurationError, WardenError
from warden.core.kinds import EVALUATED_KINDS, KINDS
from warden.core.ledger import written
from warden.core.procedure import claim
from warden.core.resource import Deployment, ResourceRef, ResourceType
from warden.core.tokens import Draw
from warden.gateways.clients import OPERATIONS, Clients
from warden.gateways.errors import UNREADABLE, translate, unreadable
from warden.gateways.pace import LocalBucket, Pace
from warden.gateways.rds import Rds
from warden.gateways.rds_reader import RdsReader
from warden.gateways.reads import Reads
from warden.pipeline.judge import Judge
from warden.pipeline.restraints import Unrestrained
from warden.wiring import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from warden.core.control import Control
    from warden.core.policy import Policy
    from warden.core.resource import Resource
    from warden.core.tokens import Rate
    from warden.pipeline.judge import Judgement

OPERATIONS_OF_A_SCAN = {
    **OPERATIONS,
    # With them botocore gets credentials, where a profile says so: of a role, of a sign-in, of IAM Identity Center.
    "sts": (*OPERATIONS["sts"], "AssumeRole", "AssumeRoleWithWebIdentity"),
    "sso": ("GetRoleCredentials",),
    "sso-oidc": ("CreateToken",),
    "signin": ("CreateOAuth2Token",),
}
_ALL = Draw(most=1)
_OWN = ""
"""The account of the credentials, whichever that is."""
_PLAIN = 2500
"""Items of a list that are kept as they are: a scan is of a machine that has some memory, and somebody waits for it."""
CLEAN, FINDINGS, COULD_NOT_RUN = 0, 1, 2
_TOLD = frozenset({ComplianceType.NON_COMPLIANT, ComplianceType.INSUFFICIENT_DATA})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


_NONE = Json("[]")
"""A plan without a call."""


@dataclass(slots=True)
class Scan:
    """What a scan saw."""

    account: str
    regions: list[str]
    policy_version: str
    resources: Counter[str] = field(default_factory=Counter)
    api_calls: Counter[str] = field(default_factory=Counter)
    evaluations: Counter[str] = field(
        default_factory=lambda: Counter({compliance.value: 0 for compliance in ComplianceType})
    )
    findings: Rows = field(default_factory=Rows)
    """The gravest first."""
    not_evaluated: Rows = field(default_factory=Rows)

    @property
    def status(self) -> int:
        """The exit status: a scan that could not see everything is not clean."""
        if self.evaluations[ComplianceType.NON_COMPLIANT]:
            return FINDINGS
        return COULD_NOT_RUN if len(self.not_evaluated) else CLEAN

    @property
    def card(self) -> dict[str, Any]:
        """What is printed as JSON."""
        return {
            "version": 1,
            "account": self.account,
            "regions": self.regions,
            "policy_version": self.policy_version,
            "resources": dict(self.resources),
            "api_calls": dict(sorted(self.api_calls.items())),
            "evaluations": dict(self.evaluations),
            "findings": self.findings,
            "not_evaluated": self.not_evaluated,
        }


def run(
    *,
    regions: Sequence[str],
    controls: Sequence[str],
    show_all: bool,
    output: str,
    policy_file: str,
    profile: str | None,
    requests_per_second: int | None = None,
) -> int:
    """Scan, print, and return the exit status."""
    policy = load_policy(policy_file)
    chosen = _choose(controls, policy)
    # A scan makes what it keeps, and ends: there is little garbage to look for among it.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()
    scan = scan_account(
        regions=regions,
        controls=chosen,
        policy=policy,
        show_all=show_all,
        profile=profile,
        requests_per_second=requests_per_second,
    )
    match output:
        case "json":
            _write_json(scan.card)
        case "csv":
            _write_csv(chain(scan.findings, scan.not_evaluated))
        case _:
            _write_text(scan)
    return scan.status


def scan_account(
    *,
    regions: Sequence[str],
    controls: Sequence[Control],
    policy: Policy,
    show_all: bool = False,
    profile: str | None = None,
    requests_per_second: int | None = None,
) -> Scan:
    """Judge everything in some Regions of the account that the credentials belong to.

    RDS is asked at the rate of the policy, beside what a deployment asks, or at one that is given here.
    """
    models = paths.models(OPERATIONS_OF_A_SCAN, botocore.__version__)
    rate = policy.requests
    if requests_per_second is not None:
        rate = replace(rate, per_second=requests_per_second, everywhere=True)
    api_calls: Counter[str] = Counter()
    try:
        clients = Clients(
            account=_OWN, profile=profile, models=models, on_call=lambda call: api_calls.update([call])
        )
        wanted = list(dict.fromkeys(regions)) or clients.default_regions()
        lists = {region: _lists(clients, region, api_calls, rate) for region in wanted}
        account, partition = _owner(lists[wanted[0]], controls) or clients.identify(wanted[0])
    except ProfileNotFound as error:
        raise ConfigurationError(str(error)) from None
    except (BotoCoreError, ClientError) as error:
        msg = f"AWS could not be asked who we are: {translate(error, 'sts:GetCallerIdentity')}"
        raise ConfigurationError(msg) from None
    except UNREADABLE:
        why = unreadable("sts:GetCallerIdentity", emulator=False)
        msg = f"AWS could not be asked who we are: {why}"
        raise ConfigurationError(msg) from None
    except ValueError as error:
        # An endpoint that is no address, by AWS_ENDPOINT_URL or by a Region that is none.
        msg = f"AWS could not be asked who we are: {error}"
        raise ConfigurationError(msg) from None
    scan = Scan(account=account, regions=wanted, policy_version=policy.version, api_calls=api_calls)
    for region, reads in lists.items():
        here = Deployment(account, region, partition)
        _Region(scan, here, reads, policy, controls, show_all=show_all).scan()
    return scan


def _lists(clients: Clients, region: str, api_calls: Counter[str], rate: Rate) -> Reads:
    """What is read of a Region, each list once."""
    # AWS counts by account and Region, and so do we.
    of_region = clients.of(
        _OWN,
        on_call=lambda call: api_calls.update([call]),
        pace=lambda: Pace(rate, LocalBucket(), _ALL, patience=math.inf),
    )
    return Reads(Rds(of_region, account=_OWN, region=region), bulk=True, plain=_PLAIN)


def _owner(reads: Reads, controls: Sequence[Control]) -> tuple[str, str] | None:
    """The account and the partition of the clusters that are listed; None where STS has to be asked.

    The list is one that is read anyway. It holds what is shared with the account only if that is asked for
    ("IncludeShared", DescribeDBClusters).
    """
    if all(control.resource_type is not ResourceType.DB_CLUSTER for control in controls):
        return None
    try:
        first = next(iter(reads.whole("DescribeDBClusters")), None)
        ref = ResourceRef.from_arn(first["DBClusterArn"]) if first else None
    except (WardenError, LookupError, ValueError):
        # Whether it is about the credentials or about clusters, STS will show.
        return None
    return (ref.account, ref.partition) if ref else None


class _Region:
    """One Region of a scan."""

    def __init__(
        self,
        scan: Scan,
        deployment: Deployment,
        reads: Reads,
        policy: Policy,
        controls: Sequence[Control],
        *,
        show_all: bool,
    ) -> None:
        self._scan = scan
        self._region = deployment.region
        self._show_all = show_all
        self._reader = RdsReader(
            reads.api, deployment=deployment, clock=lambda: datetime.now(UTC), shared=reads, once=True
        )
        self._judge = Judge.of(
            grouped(controls),
            policy=policy,
            ceiling=Mode.REMEDIATE,
            reader=self._reader,
            assumed=conditions.SOME_DAY,
        )

    def scan(self) -> None:
        """List and judge every kind; a kind that cannot be listed is reported, and costs the others nothing."""
        for resource_type in EVALUATED_KINDS:
            if not self._judge.of_type(resource_type):
                continue
            _say(f"{self._region}: reading {KINDS[resource_type].name}s")
            try:
                needs = self._judge.needs_of_a_list(resource_type)
                for resource in self._reader.list(resource_type, needs, complete=self._judge.completed):
                    self._one(resource)
            except NoRoomError:
                raise
            except Exception as error:  # noqa: BLE001 - one kind that fails must not take the others with it
                _say(f"{self._region}: {KINDS[resource_type].name}s could not be listed: {_said(error)}")
                self._unlisted(resource_type, error)

    def _one(self, resource: Resource) -> None:
        if resource.home != self._region:
            return
        self._scan.resources[resource.ref.resource_type] += 1
        arn = resource.ref.arn
        try:
            # As a rule its list has done so already, for several at a time.
            resource = self._judge.completed(resource)
            _, judgements = self._judge.decide(
                resource,
                self._judge.evaluate(resource),
                findings={},
                now=datetime.now(UTC),
                restraints=Unrestrained(),
            )
        except Exception as error:  # noqa: BLE001 - nor one resource
            for control in self._judge.of_type(resource.ref.resource_type):
                self._scan.evaluations[ComplianceType.INSUFFICIENT_DATA] += 1
                self._missed(control, resource.ref.resource_type, arn, f"{_said(error)}.")
            return
        found = [judgement.evaluation.compliance for judgement in judgements]
        self._scan.evaluations.update(found)
        for judgement, compliance in zip(judgements, found, strict=True):
            if self._show_all or compliance in _TOLD:
                self._tell(judgement, resource, arn)

    def _tell(self, judgement: Judgement, resource: Resource, arn: str) -> None:
        evaluation = judgement.evaluation
        compliance = evaluation.compliance
        if compliance is ComplianceType.INSUFFICIENT_DATA:
            self._missed(judgement.control, resource.ref.resource_type, arn, evaluation.annotation)
        if compliance is ComplianceType.NON_COMPLIANT or self._show_all:
            calls = judgement.calls
            self._scan.findings.add(
                {
                    "control": judgement.control.id,
                    "resource": arn,
                    "resource_type": resource.ref.resource_type.value,
                    "region": self._region,
                    "compliance": compliance.value,
                    "severity": judgement.control.severity.value,
                    "annotation": f"{evaluation.annotation} {claim(resource.ref, resource.tags)}".rstrip(),
                    "evidence": Json(written(evaluation.evidence)),
                    "decision": judgement.decision.to_json(),
                    "plan": Json(written([call.to_json() for call in calls])) if calls else _NONE,
                    "manual": judgement.manual,
                },
                _gravest_first(judgement.control, compliance, arn),
            )

    def _unlisted(self, resource_type: ResourceType, error: Exception) -> None:
        hint = (
            " Grant the action, or leave the controls out with --control."
            if isinstance(error, AccessDeniedError)
            else ""
        )
        for control in self._judge.of_type(resource_type):
            self._missed(
                control,
                resource_type,
                "",
                f"The {KINDS[resource_type].name}s could not be listed: {_said(error)}.{hint}",
            )

    def _missed(self, control: Control, resource_type: ResourceType, arn: str, why: str) -> None:
        self._scan.not_evaluated.add(
            {
                "control": control.id,
                "resource": arn,
                "resource_type": resource_type.value,
                "region": self._region,
                "compliance": ComplianceType.INSUFFICIENT_DATA.value,
                "severity": control.severity.value,
                "annotation": why,
            }
        )


def _choose(names: Sequence[str], policy: Policy) -> list[Control]:
    known = {control.id: control for control in all_controls()}
    for name in names:
        if name not in known:
            msg = f"--control {name}: there is no such control; `warden controls` lists them"
            raise ConfigurationError(msg)
        if not policy.is_enabled(name):
            msg = f"--control {name}: the policy disables this control (controls.{name}.enabled)"
            raise ConfigurationError(msg)
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


def _gravest_first(control: Control, compliance: ComplianceType, arn: str) -> tuple[bool, int, str, str]:
    drifted = compliance is ComplianceType.NON_COMPLIANT
    return (not drifted, control.severity.rank, control.id, arn)


def _said(error: Exception) -> str:
    """What an error says; one that was not raised on purpose, with its name."""
    return str(error) if isinstance(error, WardenError) else f"{type(error).__name__}: {error}"


def _say(message: str) -> None:
    if sys.stderr.isatty():
        print(message, file=sys.stderr)


# --- output ---------------------------------------------------------------------------------------------------


def _write_text(scan: Scan) -> None:
    for finding in scan.findings:
        _write_finding(finding)
    if len(scan.not_evaluated):
        print("Not evaluated:")
        for (control, why), count in Counter(
            (missed["control"], missed["annotation"]) for missed in scan.not_evaluated
        ).items():
            times = f" ({count} times)" if count > 1 else ""
            print(f"  {control}: {why}{times}")
        print()
    counted = ", ".join(f"{count} {kind.rpartition(':')[2]}" for kind, count in scan.resources.items())
    print(f"Account {scan.account}, {', '.join(scan.regions)}: {counted or 'nothing to judge'}.")
    print("  " + ", ".join(f"{count} {compliance}" for compliance, count in scan.evaluations.items()))
    would = Counter(
        finding["decision"]["action"] for finding in scan.findings if finding["compliance"] == "NON_COMPLIANT"
    )
    if would:
        print("  What would be done: " + ", ".join(f"{count} {action}" for action, count in would.items()))
    print(f"  {sum(scan.api_calls.values())} API calls; policy {scan.policy_version}.")


def _write_finding(finding: dict[str, Any]) -> None:
    name = finding["resource"].rpartition(":")[2]
    print(f"{finding['severity']:<8} {finding['control']}  {name}  ({finding['region']})")
    print(f"         {finding['annotation']}")
    if finding["compliance"] == ComplianceType.NON_COMPLIANT:
        decision = finding["decision"]
        print(f"         {decision['action']} because of {decision['reason']}")
        for call in finding["plan"]:
            print(f"           {call['operation']} {json.dumps(call['parameters'])}")
        for line in finding["manual"].splitlines():
            print(f"           {line}")
    else:
        print(f"         {finding['compliance']}")
    print()


def _write_json(card: dict[str, Any]) -> None:
    """The card; each field of it, and of the items of its lists, in a line of its own."""
    between = "{"
    for name, value in card.items():
        sys.stdout.write(f"{between}\n  {json.dumps(name)}: ")
        if isinstance(value, Rows):
            _write_rows(value)
        else:
            sys.stdout.write(json.dumps(value))
        between = ","
    sys.stdout.write("\n}\n")


def _write_rows(rows: Rows) -> None:
    between = "["
    for text in rows.texts():
        sys.stdout.write(between)
        sys.stdout.write(text)
        between = ","
    sys.stdout.write("\n  ]" if len(rows) else "[]")


def _write_csv(rows: Iterable[dict[str, Any]]) -> None:
    columns = (
        "control", "resource", "resource_type", "region", "compliance", "severity", "annotation", "action", "reason",
        "plan",
    )  # fmt: skip
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    for row in rows:
        decision = row.get("decision", {})
        cells = {
            **row,
            "action": decision.get("action", ""),
            "reason": decision.get("reason", ""),
            "plan": json.dumps(row["plan"]) if row.get("plan") else "",
        }
        writer.writerow([_harmless(str(cells.get(column, ""))) for column in columns])


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet will not take for a formula: names of databases and tags come from strangers."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
