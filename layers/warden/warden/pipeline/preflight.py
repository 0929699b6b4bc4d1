"""Looks at live use before something is written that could cut clients off; a look takes more than one visit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from warden.core import connection_lines, coverage, open_sessions, preflight
from warden.core.dataclass import dataclass
from warden.core.errors import (
    AccessDeniedError,
    MissingFactError,
    RejectedError,
    ResourceGoneError,
    ThrottledError,
    UnsupportedError,
)
from warden.core.preflight import Answer, Question
from warden.core.rows import Look, Scan

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from warden.core.resource import Resource
    from warden.pipeline.ports import ConnectionLogs, Looks, Samples

_REFUSALS = (AccessDeniedError, MissingFactError, RejectedError, ResourceGoneError, UnsupportedError)
_LOST = timedelta(minutes=90)
"""A query that has not ended by then never will: "Queries time out after 60 minutes of runtime" (StartQuery)."""
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Asks who connects without TLS. No visit waits for a query: a later one reads what it found."""

    logs: ConnectionLogs
    looks: Looks
    setting: preflight.Setting
    samples: Samples
    asked: Collection[str] = ()
    """The ARNs of the clusters whose writers are asked for open sessions, too."""

    def answer(self, question: Question, resource: Resource, now: datetime) -> Answer | None:
        """What is known; None while the first look is under way, so that it is to be had at a later visit."""
        if question is Question.PASSWORD:
            return self._unknown("nothing tells who logs in with the present password")
        look = None
        if why := connection_lines.untold(resource):
            answer: Answer | None = self._unknown(why)
        else:
            try:
                look = self._read(self._look(resource), resource, now)
                answer = _told(look) or self._begin(look, resource, now)
            except ThrottledError:
                return None
            except _REFUSALS as error:
                answer = self._unknown(f"CloudWatch Logs could not be asked: {error}")
        arn = resource.ref.arn
        if answer is None or arn not in self.asked:
            return answer
        sample = self.samples.get(arn)
        if sample is None or now - sample.at > open_sessions.STALE:
            # The next tick asks, since the finding is open.
            return None
        return open_sessions.added(answer, sample, noted=look.noted if look is not None else {})

    def confirms(self, question: Question, resource: Resource, now: datetime) -> bool:
        """Whether the answer is recent enough to write on; if not, what has come since is looked at."""
        if question is Question.PASSWORD or connection_lines.untold(resource):
            return True
        look = self._look(resource)
        last = look.since or look.whole
        if last is None or now - last.span.at < preflight.FRESH:
            return True
        self._renew(look, resource, now)
        return False

    def keep(self, question: Question, resource: Resource, now: datetime) -> None:
        """Look at the whole cycle again where the last look at it is old: clients go, and logs become long enough."""
        if question is Question.PASSWORD or connection_lines.untold(resource):
            return
        look = self._look(resource)
        if look.whole is not None and now - look.whole.span.at >= preflight.RENEWED:
            self._renew(look, resource, now)

    def _renew(self, look: Look, resource: Resource, now: datetime) -> None:
        try:
            answer = self._begin(look, resource, now)
        except ThrottledError:
            # Another visit asks again; what is old allows no write until then.
            return
        except _REFUSALS as error:
            answer = self._unknown(f"CloudWatch Logs could not be asked: {error}")
        if answer is not None:
            span = coverage.cycle(now, self.setting.days)
            unasked = Scan(span=span, queries=(), answer=answer)
            self.looks.put(replace(look, whole=unasked, since=None, running=None))

    def _look(self, resource: Resource) -> Look:
        arn, group = resource.ref.arn, connection_lines.log_group(resource)
        known = self.looks.get(arn)
        if known is not None and known.resource_key != resource.key:
            known = None
        if known is not None and (known.group, known.days) == (group, self.setting.days):
            return known
        noted = known.noted if known else {}
        return Look(arn=arn, resource_key=resource.key, group=group, days=self.setting.days, noted=noted)

    def _begin(self, look: Look, resource: Resource, now: datetime) -> Answer | None:
        """Start the queries of a look, at the cycle or at the time since; the answer where there is nothing to ask."""
        if look.running is not None and now - look.running.span.at < _LOST:
            return None
        whole = look.whole
        span = coverage.cycle(now, self.setting.days)
        if whole is not None and now - whole.span.at < preflight.RENEWED:
            span = coverage.since(whole.span, now)
        group = self.logs.held(look.group)
        if group is None:
            return self._unknown("its log group does not exist")
        lines = connection_lines.of_engine(resource.facts["Engine"])
        queries = (lines.coverage_query, lines.clients_query) if lines is not None else ()
        size = len(queries) * group.to_scan(span)
        if size > self.setting.gigabytes * _GIGABYTE:
            return self._unknown(
                f"its log is so large that a look would scan about {size // _GIGABYTE} GB, and preflight.gigabytes "
                f"allows {self.setting.gigabytes}"
            )
        started = tuple(self.logs.start(look.group, query, begin=span.begin, end=now) for query in queries)
        self.looks.put(replace(look, running=Scan(span=span, queries=started, lacks=group.lacks(span))))
        return None

    def _read(self, look: Look, resource: Resource, now: datetime) -> Look:
        """The look with what its queries have found, where they have ended; a failure is an answer, too."""
        scan = look.running
        if scan is None:
            return look
        answer = self._found(scan, resource)
        if answer is None:
            return replace(look, running=None) if now - scan.span.at >= _LOST else look
        done = replace(scan, answer=answer)
        again = look.whole is None or scan.span.begin < look.whole.span.until
        look = replace(
            look,
            running=None,
            whole=done if again else look.whole,
            since=None if again else done,
        )
        look = replace(look, noted=_noted(look, now))
        self.looks.put(look)
        return look

    def _found(self, scan: Scan, resource: Resource) -> Answer | None:
        lines = connection_lines.of_engine(resource.facts["Engine"])
        if lines is None:
            return self._unknown("its engine is another one now")
        try:
            found = [self.logs.rows(query) for query in scan.queries]
            covered, clients = found
        except ThrottledError:
            return None
        except _REFUSALS as error:
            return self._unknown(f"the query came to nothing: {error}")
        if covered is None or clients is None:
            return None
        answer = coverage.judge(
            lines,
            scan.span,
            coverage=covered.rows,
            clients=clients.rows,
            resource=resource,
            lacks=scan.lacks,
        )
        return replace(answer, scanned=covered.scanned + clients.scanned)

    def _unknown(self, why: str) -> Answer:
        return preflight.unknown(why, days=self.setting.days)


def _noted(look: Look, now: datetime) -> dict[str, str]:
    """When each client was first found: one that is back after a while is no news, as long as they are few."""
    answer = _told(look)
    clients = answer.clients if answer is not None else ()
    stamp = now.isoformat()
    noted = {**look.noted, **{one.mark: look.noted.get(one.mark, stamp) for one in clients}}
    return noted if len(noted) <= preflight.MOST_CLIENTS else {one.mark: noted[one.mark] for one in clients}


def _told(look: Look) -> Answer | None:
    """The answer of both looks, with the moment at which the newest client was found."""
    if look.whole is None or look.whole.answer is None:
        return None
    answer = preflight.joined(look.whole.answer, look.since.answer if look.since is not None else None)
    newest = max((look.noted.get(one.mark, "") for one in answer.clients), default="")
    return replace(answer, noted=newest)
