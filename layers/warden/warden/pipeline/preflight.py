"""Looks at live use before something is written that could cut clients off; a look takes more than one visit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from warden.core import preflight
from warden.core.errors import (
    AccessDeniedError,
    MissingFactError,
    RejectedError,
    ResourceGoneError,
    UnsupportedError,
)
from warden.core.preflight import Answer, Question
from warden.core.rows import Look

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from warden.core.resource import Resource
    from warden.pipeline.ports import ConnectionLogs, Looks

_REFUSALS = (AccessDeniedError, MissingFactError, RejectedError, ResourceGoneError, UnsupportedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Asks who connects without TLS; each answer serves for hours."""

    logs: ConnectionLogs
    looks: Looks
    days: int

    def answer(self, question: Question, resource: Resource, now: datetime) -> Answer | None:
        """The answer; None while it is being looked for, so that it is to be had at a later visit."""
        if question is Question.PASSWORD:
            return preflight.unknown("nothing tells who logs in with the present password", days=self.days)
        if why := preflight.untold(resource):
            return preflight.unknown(why, days=self.days)
        try:
            return self._look(resource, now)
        except _REFUSALS as error:
            return preflight.unknown(f"CloudWatch Logs could not be asked: {error}", days=self.days)

    def _look(self, resource: Resource, now: datetime) -> Answer | None:
        look = self.looks.get(resource.ref.arn)
        group, names = preflight.log_group(resource), preflight.instances(resource)
        ours = look is not None and (look.days, look.subject) == (self.days, (group, *names))
        if look is not None and ours and now - look.at < preflight.FRESH and look.answer is not None:
            return look.answer
        if why := preflight.too_young(*self.logs.held(group), now=now, days=self.days):
            return preflight.unknown(why, days=self.days)
        noted = look.noted if look is not None else {}
        if look is None or not ours or look.answer is not None or now - look.at >= preflight.FRESH:
            begin = preflight.begins(now, self.days)
            queries = tuple(
                self.logs.start(group, query, begin=begin, end=now)
                for query in (preflight.COVERAGE_QUERY, preflight.CLIENTS_QUERY)
            )
            self.looks.put(
                Look(
                    arn=resource.ref.arn,
                    at=now,
                    days=self.days,
                    subject=(group, *names),
                    queries=queries,
                    noted=noted,
                )
            )
            return None
        return self._answered(look, names, now)

    def _answered(self, look: Look, names: Sequence[str], now: datetime) -> Answer | None:
        """What the queries of a look found; a failed one is kept too, so that it is not repeated at every visit."""
        try:
            found = [self.logs.rows(query) for query in look.queries]
            coverage, clients = found
            if coverage is None or clients is None:
                return None
            answer = preflight.judge(coverage, clients, names=names, now=look.at, days=self.days)
        except _REFUSALS as error:
            answer = preflight.unknown(f"the query came to nothing: {error}", days=self.days)
        # What is known of a client that has gone stays for as long as the clients are few: back again, it is no news.
        stamp = now.isoformat()
        noted = {**look.noted, **{one.mark: look.noted.get(one.mark, stamp) for one in answer.clients}}
        newest = max((noted[one.mark] for one in answer.clients), default="")
        if len(noted) > preflight.MOST_CLIENTS:
            noted = {one.mark: noted[one.mark] for one in answer.clients}
        answer = replace(answer, noted=newest)
        self.looks.put(replace(look, answer=answer, noted=noted))
        return answer
