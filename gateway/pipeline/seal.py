"""seal: the ready dossier as XML with an XAdES signature (gateway.sealing), as it will be sent."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.dossier import Dossier
from gateway.pipeline.cases import StoredCase
from gateway.pipeline.services import Services
from gateway.sealing.dossier_xml import Envelope, write_dossier
from gateway.sealing.xades import sign


def seal(services: Services, case: StoredCase, dossier: Dossier, version: int, now: datetime) -> bytes:
    """Sign a ready dossier. Raises GatewayError `dossier.unsealable` when XML cannot carry it."""
    feed = services.feed(case.feed)
    envelope = Envelope(case.id, version, case.id, now, feed.facility_code, feed.facility_name)
    return sign(write_dossier(dossier, envelope, case.identity), services.signing, now)
