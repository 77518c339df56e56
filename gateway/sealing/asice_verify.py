"""Is this container what was signed, by whom, and is the dossier in it sound?

Two things are checked apart: the container's signature over its files, and the seal of dossier.xml, which is good
without any container (sealing.verify). Of a container that cannot be read as a whole nothing is told but that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import orjson
from cryptography import x509

from gateway.errors import UnreadableMessage
from gateway.sealing.asice import DOSSIER, MANIFEST, RECEIPT, SIGNATURES, write_manifest
from gateway.sealing.asice_report import ContainerReport, FileReport
from gateway.sealing.asice_signature import Signature, holds, read
from gateway.sealing.asice_zip import read_zip
from gateway.sealing.certificates import is_trusted, was_valid, weakness
from gateway.sealing.report import Report
from gateway.sealing.verify import verify_dossier


def verify_container(raw: bytes, trust: Sequence[x509.Certificate] | None = None) -> ContainerReport:
    """Check a container and the dossier in it. `trust`: certificates of signers or of their issuers; None leaves trust
    open. Never raises for bad content: whatever is wrong is in the report."""
    try:
        files = read_zip(raw)
        if SIGNATURES not in files:
            return ContainerReport(intact=False, problem="asice.file_missing", detail=SIGNATURES)
        signature = read(files[SIGNATURES])
    except UnreadableMessage as error:
        return ContainerReport(intact=False, problem=error.code, detail=error.where)
    found = _compare(files, signature)
    dossier = verify_dossier(files[DOSSIER], trust) if DOSSIER in files else None
    report = _about_signer(signature, trust)
    broken = _seal_problem(signature, found)
    problem, detail = broken or _content_problem(files, signature, dossier)
    return replace(
        report, intact=broken is None, files=found, dossier=dossier, problem=problem or report.problem, detail=detail
    )


def _compare(files: Mapping[str, bytes], signature: Signature) -> tuple[FileReport, ...]:
    """Each signed file beside what the container holds, then what the container holds besides."""
    told = []
    for signed in signature.files:
        content = files.get(signed.name)
        state = "missing" if content is None else "changed"
        if content is not None and sha256(content).digest() == signed.digest:
            state = "signed"
        told.append(FileReport(signed.name, state, signed.media_type, len(content or b"")))
    known = {file.name for file in signature.files} | {MANIFEST, SIGNATURES}
    return (*told, *(FileReport(name, "unsigned", "", len(files[name])) for name in files if name not in known))


def _about_signer(signature: Signature, trust: Sequence[x509.Certificate] | None) -> ContainerReport:
    """Who signed, and whether that counts; nothing yet about the files."""
    certificate, at = signature.certificates[0], signature.at
    trusted = None if trust is None else is_trusted(list(signature.certificates), list(trust), at)
    problem = "certificate.not_trusted" if trusted is False else ""
    if not was_valid(certificate, at):
        problem = "certificate.not_valid_then"
    return ContainerReport(
        intact=False,
        trusted=trusted,
        signer=certificate.subject.rfc4514_string(),
        certificate_serial=f"{certificate.serial_number:x}",
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        signed_at=at,
        problem=problem,
    )


def _seal_problem(signature: Signature, found: tuple[FileReport, ...]) -> tuple[str, str] | None:
    """What keeps the container from being intact, the worst first."""
    if reason := weakness(signature.certificates[0]):
        return "certificate.weak", reason
    if not holds(signature):
        return "signature.broken", SIGNATURES
    for state in ("changed", "missing", "unsigned"):
        if wrong := [file.name for file in found if file.state == state]:
            return f"asice.file_{state}", wrong[0]
    return None


def _content_problem(files: Mapping[str, bytes], signature: Signature, dossier: Report | None) -> tuple[str, str]:
    """What is wrong though every file is as it was signed."""
    for name in (DOSSIER, RECEIPT, MANIFEST):
        if name not in files:
            return "asice.file_missing", name
    if files[MANIFEST] != write_manifest([(file.name, file.media_type) for file in signature.files]):
        return "asice.manifest", MANIFEST
    if dossier is not None and not dossier.ok:
        return "asice.dossier", dossier.problem
    if not _receipt_fits(files, dossier):
        return "asice.receipt", RECEIPT
    return "", ""


def _receipt_fits(files: Mapping[str, bytes], dossier: Report | None) -> bool:
    """Whether the receipt speaks of this dossier and of these papers."""
    try:
        receipt: Any = orjson.loads(files[RECEIPT])
        papers = {paper["file"]: paper["sha256"] for paper in receipt["papers"]}
        claimed = (receipt["dossier"]["sha256"], receipt["version"], receipt["withdrawn"], receipt["mapping"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False
    if dossier is None or dossier.document is None:
        return False
    document = dossier.document
    real = {name: sha256(content).hexdigest() for name, content in files.items() if name.startswith("papers/")}
    inside = (document.envelope.version, document.dossier.withdrawn, document.dossier.mapping_hash)
    return papers == real and claimed == (sha256(files[DOSSIER]).hexdigest(), *inside)
