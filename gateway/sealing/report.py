"""What became of checking a sealed dossier, as data for machines and in words for people (Vietnamese and English)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.dossier import Dossier
from gateway.sealing.dossier_xml import DossierDocument

PROBLEMS: dict[str, tuple[str, str]] = {
    "xml.unreadable": ("Không đọc được tệp XML", "The file is not readable XML"),
    "form.not_canonical": (
        "Tệp không còn ở dạng chuẩn tắc như khi ký: có byte đã bị thay đổi",
        "The file is not in the canonical form it was sealed in: a byte was changed",
    ),
    "form.not_a_dossier": (
        "Tài liệu không đúng cấu trúc hồ sơ hộ tịch (urn:vn:hotich:1)",
        "The document does not follow the dossier schema (urn:vn:hotich:1)",
    ),
    "signature.absent": ("Hồ sơ chưa được ký", "The dossier is not signed"),
    "signature.shape": (
        "Chữ ký không bao trùm đúng toàn bộ hồ sơ hoặc đã bị di chuyển",
        "The signature does not cover exactly this dossier, or was moved",
    ),
    "signature.broken": (
        "Chữ ký không khớp: nội dung đã bị thay đổi sau khi ký",
        "The signature does not hold: the content was changed after signing",
    ),
    "certificate.weak": ("Khóa của người ký quá yếu", "The signer's key is too weak"),
    "certificate.not_valid_then": (
        "Chứng thư số không có hiệu lực vào thời điểm ký (do người ký khai)",
        "The certificate was not valid at the claimed time of signing",
    ),
    "certificate.not_trusted": (
        "Chứng thư số của người ký không nằm trong danh sách tin cậy",
        "The signer's certificate is not among those trusted",
    ),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify_dossier` found. `trusted` None: no trusted certificates were given, nobody vouches for the signer.
    `document` is there only when intact: it was read from the signed bytes. `detail` holds no personal data."""

    intact: bool
    trusted: bool | None = None
    signer: str = ""
    certificate_serial: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    signed_at: datetime | None = None  # as the signer claims; only a timestamp would prove it
    problem: str = ""  # key of PROBLEMS, "" when nothing is wrong
    detail: str = ""
    document: DossierDocument | None = None

    @property
    def ok(self) -> bool:
        """Nothing is wrong. True also when trust was not asked for: see `trusted`."""
        return not self.problem

    def words(self, language: str = "vi") -> list[str]:
        """The report as lines for people, "vi" or "en"."""
        return _words(self, 0 if language == "vi" else 1)

    def as_json(self) -> dict[str, Any]:
        vi, en = PROBLEMS.get(self.problem, ("", ""))
        return {
            "ok": self.ok,
            "intact": self.intact,
            "trusted": self.trusted,
            "signer": self.signer,
            "certificate_serial": self.certificate_serial,
            "valid_from": _iso(self.valid_from),
            "valid_to": _iso(self.valid_to),
            "signed_at": _iso(self.signed_at),
            "code": self.document.envelope.code if self.document else None,
            "version": self.document.envelope.version if self.document else None,
            "withdrawn": self.document.dossier.withdrawn if self.document else None,
            "corrections": len(self.document.dossier.corrections) if self.document else None,
            "problem": {"code": self.problem, "detail": self.detail, "vi": vi, "en": en} if self.problem else None,
        }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _after_sending(dossier: Dossier, language: int) -> list[str]:
    """What a version after the first is: a withdrawal, a correction of so many values, or neither."""
    if dossier.withdrawn:
        words = ("Rút hồ sơ: cơ sở y tế xin rút hồ sơ này", "Withdrawal: the facility asks to take this dossier back")
        return [words[language]]
    changed = len(dossier.corrections)
    words = (f"Bản sửa: {changed} giá trị khác với bản trước", f"Correction, values changed: {changed}")
    return [words[language]] if changed else []


def _words(report: Report, language: int) -> list[str]:
    def say(vi: str, en: str) -> str:
        return (vi, en)[language]

    yes_no = say("CÓ", "YES"), say("KHÔNG", "NO")
    lines = [f"{say('Nguyên vẹn', 'Intact')}: {yes_no[0 if report.intact else 1]}"]
    if report.problem:
        tail = f" [{report.problem}{': ' + report.detail if report.detail else ''}]"
        lines.append(f"{say('Vấn đề', 'Problem')}: {PROBLEMS[report.problem][language]}{tail}")
    if report.document:
        envelope = report.document.envelope
        lines.append(f"{say('Hồ sơ', 'Dossier')}: {envelope.code}, {say('bản', 'version')} {envelope.version}")
        lines += _after_sending(report.document.dossier, language)
    if report.intact:
        lines.append(
            f"{say('Người ký', 'Signed by')}: {report.signer} ({say('số', 'serial')} {report.certificate_serial})"
        )
        lines.append(f"{say('Thời điểm ký (tự khai)', 'Signed at (claimed)')}: {_iso(report.signed_at) or '?'}")
        lines.append(
            f"{say('Chứng thư có hiệu lực', 'Certificate valid')}: {_iso(report.valid_from)} – {_iso(report.valid_to)}"
        )
        trust = {
            None: say("chưa kiểm tra: không cho chứng thư tin cậy", "not checked: no trusted certificate was given"),
            True: yes_no[0],
            False: yes_no[1],
        }[report.trusted]
        lines.append(f"{say('Tin cậy', 'Trusted')}: {trust}")
    return lines
