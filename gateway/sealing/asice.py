"""The ASiC-E container of a dossier (ETSI EN 319 162-1): the sealed dossier as it is, the papers it was made from, and
a receipt, in one ZIP file under one signature.

    mimetype                    application/vnd.etsi.asic-e+zip, first and uncompressed
    dossier.xml                 the sealed dossier, byte for byte; its own seal stays valid without the container
    receipt.json                which messages came when, under which numbers it is sent, digests of everything
    papers/<n>-<name>           Delivery.attachments in their order
    META-INF/manifest.xml       the files and their media types (OpenDocument 1.2 part 3)
    META-INF/signatures0.xml    XAdES over all files above except `mimetype`

Equal deliveries, keys and times make equal bytes, except for the random number inside ECDSA.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from lxml import etree

from gateway.errors import Misconfigured
from gateway.ports.commune import Delivery
from gateway.ports.signing import SigningKey
from gateway.sealing.asice_signature import sign_files
from gateway.sealing.asice_zip import MIMETYPE, ContentFile, write_zip
from gateway.sealing.certificates import was_valid
from gateway.sealing.dossier_xml import parse_dossier
from gateway.sealing.received import ReceivedMessage

DOSSIER, RECEIPT = "dossier.xml", "receipt.json"
MANIFEST, SIGNATURES = "META-INF/manifest.xml", "META-INF/signatures0.xml"
_MANIFEST_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")


def write_container(delivery: Delivery, received: Sequence[ReceivedMessage], key: SigningKey, at: datetime) -> bytes:
    """The container of one version of a dossier. `received` are the messages it was made from; `at` (aware) is the
    claimed time of the container's signature. Raises SettingsError for a weak key, Misconfigured when its certificate
    is not valid at `at`, UnreadableMessage when what is sealed is no dossier."""
    if not was_valid(key.certificates[0], at):
        raise Misconfigured("signing.certificate_not_valid_now", "the signing certificate is not valid now; renew it")
    papers = [
        ContentFile(f"papers/{number}-{_plain(paper.name)}", paper.media_type, paper.content)
        for number, paper in enumerate(delivery.attachments, 1)
    ]
    receipt = orjson.dumps(_receipt(delivery, received, papers), option=orjson.OPT_INDENT_2)
    files = [
        ContentFile(DOSSIER, "text/xml", delivery.sealed),
        ContentFile(RECEIPT, "application/json", receipt),
        *papers,
    ]
    told = [(MANIFEST, write_manifest([(file.name, file.media_type) for file in files]))]
    told.append((SIGNATURES, sign_files(files, key, at)))
    return write_zip([*((file.name, file.content) for file in files), *told])


def write_manifest(files: Sequence[tuple[str, str]]) -> bytes:
    """META-INF/manifest.xml of files given as name and media type, in canonical form."""
    inside = f"{{{_MANIFEST_NAMESPACE}}}"
    root: Any = etree.Element(f"{inside}manifest", nsmap={"manifest": _MANIFEST_NAMESPACE})
    root.set(f"{inside}version", "1.2")
    for name, media_type in [("/", MIMETYPE), *files]:
        entry = etree.SubElement(root, f"{inside}file-entry")
        entry.set(f"{inside}full-path", name)
        entry.set(f"{inside}media-type", media_type)
    written: bytes = etree.tostring(root, method="c14n")
    return written


def _plain(name: str) -> str:
    """A name every system can store; papers are told apart by their number."""
    return _UNUSUAL.sub("_", name)[-80:] or "paper"


def _receipt(delivery: Delivery, received: Sequence[ReceivedMessage], papers: Sequence[ContentFile]) -> dict[str, Any]:
    """What was received when and what became of it. No person's data: those are in the dossier."""
    document = parse_dossier(delivery.sealed)
    return {
        "code": delivery.code,
        "version": delivery.version,
        "withdrawn": delivery.withdrawn,
        "case": delivery.case_id,
        "kind": delivery.kind,
        "commune": delivery.commune_code,
        "procedure": delivery.procedure or document.dossier.procedure,
        "form": {"name": document.dossier.form, "in_force": document.dossier.in_force},
        "mapping": document.dossier.mapping_hash,
        "register_by": delivery.register_by,
        "made_at": document.envelope.made_at.astimezone(UTC).isoformat(),
        "dossier": {"file": DOSSIER, "sha256": sha256(delivery.sealed).hexdigest()},
        "received": [
            {"message": each.id, "at": each.at.isoformat(), "type": each.type, "log_digest": each.digest}
            for each in received
        ],
        "papers": [
            {"file": file.name, "kind": paper.kind, "sha256": sha256(file.content).hexdigest()}
            for file, paper in zip(papers, delivery.attachments, strict=True)
        ],
    }
