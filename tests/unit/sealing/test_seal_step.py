"""The step that seals: never outside the certificate's dates, and with a timestamp as long as there is time for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, Unreachable
from gateway.pipeline.seal import check_signer, seal
from gateway.ports.hospital import Feed
from gateway.sealing.verify import verify_dossier
from gateway.testing.dossiers import AT, DOSSIER
from gateway.testing.signing import FakeSigningKey
from gateway.testing.timestamp_authority import FakeTimestampAuthority

KEY = FakeSigningKey()
AUTHORITY = FakeTimestampAuthority()
PATIENCE = 900.0


@dataclass
class FailingAuthority:
    """An authority that gives no timestamp, whatever its reason."""

    error: PortError
    name: str = "authority"
    asked: int = field(default=0)

    def timestamp(self, digest: bytes) -> bytes:
        self.asked += 1
        raise self.error


def sealed(now: datetime = AT, *, authority: Any = None, waited: float = 0.0) -> bytes:
    """Seal the sample dossier, of a case that changed `waited` seconds before `now`."""
    services: Any = SimpleNamespace(
        signing=KEY, timestamp=authority, timestamp_patience=PATIENCE, feed=lambda _: Feed(name="benh-vien")
    )
    changed = round((now - timedelta(seconds=waited)).timestamp() * 1_000_000)
    case: Any = SimpleNamespace(id="ks-0001", feed="benh-vien", identity={}, changed_at=changed)
    return seal(services, case, DOSSIER, 1, now)


def test_without_an_authority_a_seal_has_no_timestamp() -> None:
    report = verify_dossier(sealed(), KEY.certificates)
    assert report.ok
    assert report.timestamp is None


def test_with_an_authority_a_seal_has_its_timestamp() -> None:
    report = verify_dossier(sealed(authority=AUTHORITY), [*KEY.certificates, *AUTHORITY.trust])
    assert report.ok
    assert report.timestamp is not None
    assert report.timestamp.trusted


@pytest.mark.parametrize("kind", [Unreachable, Refused, Misconfigured, Misunderstood])
def test_while_there_is_patience_an_authority_that_fails_is_asked_again_whatever_it_says(
    kind: type[PortError],
) -> None:
    with pytest.raises(Unreachable) as again:
        sealed(authority=FailingAuthority(kind("partner.busy", "no", b"body")), waited=PATIENCE - 1)
    assert (again.value.code, again.value.evidence) == ("partner.busy", b"body")


def test_an_authority_that_asks_for_an_hour_gets_no_more_than_the_patience_left() -> None:
    error = Unreachable("partner.busy", "no", retry_after=3600.0)
    with pytest.raises(Unreachable) as again:
        sealed(authority=FailingAuthority(error), waited=PATIENCE - 60)
    assert again.value.retry_after == pytest.approx(60.0)


@pytest.mark.parametrize("kind", [Unreachable, Refused, Misconfigured, Misunderstood])
def test_when_patience_is_over_the_dossier_is_sealed_without_and_the_log_says_so(kind: type[PortError]) -> None:
    authority = FailingAuthority(kind("partner.busy", "no"))
    with structlog.testing.capture_logs() as told:
        xml = sealed(authority=authority, waited=PATIENCE)
    assert verify_dossier(xml, KEY.certificates).timestamp is None
    assert authority.asked == 1
    assert [(line["event"], line["case"], line["code"]) for line in told] == [
        ("sealed_without_timestamp", "ks-0001", "partner.busy")
    ]


@pytest.mark.parametrize("days", [-366, 366])
def test_nothing_is_sealed_outside_the_certificate_s_dates(days: int) -> None:
    with pytest.raises(Misconfigured) as refused:
        sealed(AT + timedelta(days=days))
    assert refused.value.code == "signing.certificate_not_valid_now"


def test_the_end_of_the_certificate_is_spoken_of_thirty_days_ahead_and_once_a_day() -> None:
    certificate = FakeSigningKey().certificates[0]
    end = certificate.not_valid_after_utc
    tenth = (end - timedelta(days=10)).replace(hour=0)
    with structlog.testing.capture_logs() as told:
        check_signer(certificate, end - timedelta(days=30))
        for hours in (0, 5, 23, 24, 47):  # over the hour of the day at which the certificate ends
            check_signer(certificate, tenth + timedelta(hours=hours))
    assert [line["days_left"] for line in told] == [10, 9]
    assert all(line["event"] == "signing.certificate_ends_soon" for line in told)
