"""seal: the ready dossier as XML with an XAdES signature (gateway.sealing), as it will be sent.

Nothing is sealed outside the certificate's dates. Where an authority vouches for the time, a dossier waits for it as
long as `timestamp_patience` allows and then goes without: the family's last day counts more than the proof of the hour.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

import structlog
from cryptography import x509

from gateway.domain.dossier import Dossier
from gateway.errors import Misconfigured, PortError, Unreachable
from gateway.pipeline.cases import StoredCase
from gateway.pipeline.services import Services
from gateway.sealing.certificates import days_left, was_valid
from gateway.sealing.dossier_xml import Envelope, write_dossier
from gateway.sealing.timestamp import add_timestamp, signature_digest
from gateway.sealing.xades import sign

WARN_DAYS = 30
"""So many days before its end the certificate is spoken of, once a day."""

log = structlog.get_logger(__name__)


def seal(services: Services, case: StoredCase, dossier: Dossier, version: int, now: datetime) -> bytes:
    """Sign a ready dossier, with a timestamp where there is an authority for it.

    Raises GatewayError `dossier.unsealable` when XML cannot carry it, Misconfigured when the certificate is not valid
    at `now`, Unreachable when the key's device is away, or the authority gives no timestamp and there is still time.
    """
    check_signer(services.signing.certificates[0], now)
    feed = services.feed(case.feed)
    envelope = Envelope(case.id, version, case.id, now, feed.facility_code, feed.facility_name)
    sealed = sign(write_dossier(dossier, envelope, case.identity), services.signing, now)
    return sealed if services.timestamp is None else _timestamped(services, case, sealed, now)


def check_signer(certificate: x509.Certificate, now: datetime) -> None:
    """Misconfigured outside the certificate's dates; from WARN_DAYS before its end a warning in the log, once a day."""
    if not was_valid(certificate, now):
        words = (
            f"the signing certificate is valid from {certificate.not_valid_before_utc:%Y-%m-%d} to "
            f"{certificate.not_valid_after_utc:%Y-%m-%d}, not now; renew it, name the new one and start again"
        )
        raise Misconfigured("signing.certificate_not_valid_now", words)
    if days_left(certificate, now) < WARN_DAYS:
        _warn(certificate.serial_number, certificate.not_valid_after_utc.date(), now.astimezone(UTC).date())


@lru_cache(maxsize=8)
def _warn(serial: int, end: date, today: date) -> None:
    """The cache is what makes it once a day."""
    log.warning("signing.certificate_ends_soon", serial=f"{serial:x}", ends=str(end), days_left=(end - today).days)


def _timestamped(services: Services, case: StoredCase, sealed: bytes, now: datetime) -> bytes:
    """With the authority's timestamp. Whatever it says instead of one, it is asked again until patience is over: its
    trouble must neither hold a dossier for days nor make it a dead letter."""
    assert services.timestamp is not None
    try:
        return add_timestamp(sealed, services.timestamp.timestamp(signature_digest(sealed)))
    except PortError as error:
        waited = now.timestamp() - case.changed_at / 1_000_000
        left = services.timestamp_patience - waited
        if left > 0:
            raise Unreachable(error.code, error.message, error.evidence, min(error.retry_after, left)) from error
        log.warning("sealed_without_timestamp", case=case.id, code=error.code)
        return sealed
