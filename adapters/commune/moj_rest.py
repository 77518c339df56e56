"""The civil-status exchange of the Ministry of Justice as a commune system, over REST.

A dossier goes out by the operation that its wire form is for and is followed by its dossier code. The exchange knows a
dossier by that code, so sending it again makes no second one. It takes no corrections. What is on the wire was read
second-hand: bodies in moj_wire, answers in moj_reply and moj_result, values in the code tables `moj_*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from adapters.commune import moj_reply, moj_wire
from adapters.commune.moj_callback import check_signature, read_call
from adapters.commune.moj_catalogues import Entry, differences, read_entries
from adapters.commune.moj_reply import Reply, meaning_of, name_of, read_reply
from adapters.commune.moj_result import read_outcome, the_row
from adapters.commune.moj_wire import CATALOGUE, LINKED, RESULT, STATE, Tables, operation_of
from adapters.http_partner import Authorise, Bearer, HttpPartner, OAuth2, read_secret
from gateway.errors import Misconfigured, Misunderstood, Refused, SettingsError, Unreachable
from gateway.ports.clock import Clock
from gateway.ports.commune import Callback, Delivery, Outcome

JSON = "application/json"


class MojRest:
    """Entry point `gateway.commune: moj_rest`. Keeps CommuneSystem, NumberedSystem and CallingSystem."""

    takes_corrections = False

    def __init__(
        self,
        name: str,
        table: Tables,
        clock: Clock,
        url: str,
        province: str = "",
        agency: str = "",
        token: Path | None = None,
        token_url: str = "",
        client_id: str = "",
        client_secret: Path | None = None,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        timeout_seconds: float = 30.0,
        breaker_failures: int = 5,
        breaker_seconds: float = 30.0,
        poll_seconds: float = 900.0,
        attach_seal: bool = True,
        repeat_code: bool = False,
        callback_secret: Path | None = None,
    ) -> None:
        """`province` is `maTinh` (else the dossier's), `agency` the agency whose numbers dossiers get where
        commune_agencies says none. Who we are: `token` (file of a bearer token), or `token_url`, `client_id`,
        `client_secret` (file), `scope` (OAuth2), or `certificate` and `headers` alone. `attach_seal`: the signed XML
        goes along as a file. `repeat_code`: `maHoSoLT`, the code of a national linked dossier, which ours are not, says
        our code again instead of nothing. Raises SettingsError."""
        self.name, self.poll_seconds = name, poll_seconds
        self._tables, self._clock = table, clock
        self._province, self._agency = province, agency
        self._attach_seal, self._repeat_code = attach_seal, repeat_code
        self._callback_secret = read_secret(callback_secret).encode() if callback_secret else b""
        self._authorise = _authorise(name, token, token_url, client_id, client_secret, scope, ca)
        self._partner = HttpPartner(
            url,
            headers=headers,
            authorise=self._authorise,
            ca=ca,
            certificate=certificate,
            key=key,
            timeout_seconds=timeout_seconds,
            breaker_failures=breaker_failures,
            breaker_seconds=breaker_seconds,
        )

    def close(self) -> None:
        """Close the connections."""
        self._partner.close()

    def agency_of(self, commune_code: str, province_code: str, on: date) -> str:
        """The agency of a commune, from commune_agencies, else of the settings. Raises Misconfigured without either."""
        agency = self._tables("commune_agencies").column(commune_code, "value") or self._agency
        if not agency:
            words = (
                f"commune {commune_code} has no agency: set commune_systems.{self.name}.agency or add the commune to "
                "codes/commune_agencies.csv"
            )
            raise Misconfigured("commune.no_agency", words)
        return agency

    def submit(self, delivery: Delivery) -> Outcome:
        """Hand a dossier over: `pending`, also when it was there before, or `rejected` with what is wrong with it.

        Raises Refused for what the exchange has no operation for, and as every question does.
        """
        if delivery.withdrawn:
            raise Refused("commune.takes_no_withdrawal", "the exchange has no operation that takes a dossier back")
        at = delivery.received_at or self._clock.now()
        linked_code = delivery.code if self._repeat_code else ""
        body = moj_wire.submission(delivery, at, self._tables, linked_code, with_seal=self._attach_seal)
        reply, meaning = self._ask(operation_of(delivery.form), body)
        if meaning in (moj_reply.DONE, moj_reply.TAKEN):
            return Outcome("pending", delivery.code)
        if meaning == moj_reply.DATA:
            return Outcome("rejected", delivery.code, reply.words or name_of(reply, self._tables("moj_errors")))
        raise self._misunderstood(reply)

    def status(self, delivery: Delivery) -> Outcome | None:
        """What became of a dossier; None when the exchange does not know it.

        Of a linked dossier `layKetQua` tells most: that it was refused, the officer's words, the result. Only where it
        says nothing is `traTrangThaiHoSo` asked, which tells a dossier without news from an unknown one. Of an ordinary
        one the state is asked first, then the result of what is registered, if it was not told with it. A registration
        whose result is not there yet is `accepted`, so that it is asked for again.
        """
        if operation_of(delivery.form) == LINKED:
            told = self._result(delivery) or self._state(delivery)
        else:
            told = self._state(delivery)
            if told is not None and _lacks_result(told):
                told = self._result(delivery) or told
        return replace(told, state="accepted") if told is not None and _lacks_result(told) else told

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Callback:
        """A signed call (moj_callback). Raises Refused and UnreadableMessage."""
        if not self._callback_secret:
            words = f"commune_systems.{self.name}.callback_secret is not set, so no call can be checked"
            raise Refused("callback.not_configured", words)
        return read_call(body, check_signature(headers, body, self._callback_secret, now), self._tables)

    def catalogue(self, kind: int) -> list[Entry]:
        """A catalogue of the exchange (`loaiDanhMuc` 1 to 5). Raises Refused when it has none of that kind."""
        reply, meaning = self._ask(CATALOGUE, moj_wire.catalogue_question(kind))
        if meaning == moj_reply.DONE:
            return read_entries(reply, self._tables)
        if meaning == moj_reply.DATA:
            raise Refused("commune.no_such_catalogue", f"the exchange has no catalogue of kind {kind}", reply.body)
        raise self._misunderstood(reply)

    def check_catalogues(self) -> list[str]:
        """Where the exchange's catalogues and our code tables differ, a sentence each; [] when nowhere."""
        said: list[str] = []
        catalogues = self._tables("moj_catalogues")
        for kind in catalogues.codes():
            if name := catalogues.column(kind, "value"):
                said += differences(kind, name, self._tables(name), self.catalogue(int(kind)))
        return said

    def _result(self, delivery: Delivery) -> Outcome | None:
        """What `layKetQua` tells; None when it has no row, or will not say why not."""
        province = self._province or delivery.province_code
        reply, meaning = self._ask(RESULT, moj_wire.result_question(delivery, province))
        if meaning == moj_reply.DATA or (meaning == moj_reply.UNKNOWN and reply.code):
            raise self._misunderstood(reply)
        row = the_row(reply.rows, delivery.code, reply.body, named=True) if reply.is_done else None
        return None if row is None else read_outcome(row, delivery.code, self._tables, reply.body)

    def _state(self, delivery: Delivery) -> Outcome | None:
        """What `traTrangThaiHoSo` tells; None for an unknown dossier. An answer without a state is no answer: to take
        it for one would leave a dossier behind that never arrived. A no without a code is its state 0: ask again."""
        reply, meaning = self._ask(STATE, moj_wire.state_question(delivery))
        if meaning == moj_reply.NOT_FOUND:
            return None
        if meaning in (moj_reply.NOT_YET, moj_reply.TAKEN):
            return Outcome("pending", delivery.code)
        if not reply.is_done and not reply.code:
            raise Unreachable("commune.state_unknown", "the exchange could not tell the dossier's state", reply.body)
        row = the_row(reply.rows, delivery.code, reply.body, named=False) if reply.is_done else None
        if row is None:
            raise self._misunderstood(reply)
        return read_outcome(row, delivery.code, self._tables, reply.body)

    def _ask(self, operation: str, body: bytes) -> tuple[Reply, str]:
        """An answer and what it means. Raises as HttpPartner and read_reply do, and Misconfigured when the exchange
        refuses us and not the question. A token may end in a 200 with code 100 as well as in a 401: so once more with a
        new one."""
        errors = self._tables("moj_errors")
        reply = read_reply(self._partner.post(f"/{operation}", body, JSON))
        meaning = meaning_of(reply, errors)
        if meaning == moj_reply.CREDENTIALS and self._authorise is not None:
            self._authorise.headers(fresh=True)
            reply = read_reply(self._partner.post(f"/{operation}", body, JSON))
            meaning = meaning_of(reply, errors)
        if meaning in (moj_reply.CREDENTIALS, moj_reply.CONFIGURATION):
            words = f"{self.name}: the exchange refuses us: {name_of(reply, errors)}"
            raise Misconfigured("commune.refuses_us", words, reply.body)
        return reply, meaning

    def _misunderstood(self, reply: Reply) -> Misunderstood:
        words = f"{self.name}: an answer that fits no question: {name_of(reply, self._tables('moj_errors'))}"
        return Misunderstood("commune.answer_unknown", words, reply.body)


def _lacks_result(outcome: Outcome) -> bool:
    return outcome.state == "registered" and not outcome.result


def _authorise(
    name: str,
    token: Path | None,
    token_url: str,
    client_id: str,
    client_secret: Path | None,
    scope: str,
    ca: Path | None,
) -> Authorise | None:
    """Bearer token or OAuth2, as the settings say. Raises SettingsError for both at once and for half of one."""
    where = f"commune_systems.{name}"
    if token is not None:
        if token_url or client_id or client_secret:
            raise SettingsError("settings.two_ways_in", f"{where}: set token, or token_url and client_…, not both")
        return Bearer(token)
    if not (token_url or client_id or client_secret):
        return None
    if not token_url or not client_id or client_secret is None:
        words = f"{where}: token_url, client_id and client_secret belong together"
        raise SettingsError("settings.option_missing", words)
    return OAuth2(token_url, client_id, client_secret, scope, ca)
