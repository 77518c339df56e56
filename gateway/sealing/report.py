"""What became of checking a sealed dossier, as data for machines and in words for people (Vietnamese and English)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.dossier import Dossier
from gateway.domain.office import OFFICE_ZONE
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
        "Chứng thư số của người ký không có hiệu lực vào thời điểm ký",
        "The signer's certificate was not valid at the time of signing",
    ),
    "certificate.not_trusted": (
        "Chứng thư số của người ký không nằm trong danh sách tin cậy",
        "The signer's certificate is not among those trusted",
    ),
    "timestamp.broken": (
        "Dấu thời gian bị hỏng hoặc đã bị thay đổi",
        "The timestamp is broken or was changed",
    ),
    "timestamp.other": (
        "Dấu thời gian là của một chữ ký khác",
        "The timestamp is of another signature",
    ),
}


@dataclass(frozen=True, slots=True)
class TimestampReport:
    """A seal's timestamp. `state`: valid | broken | other (a good one, of another signature). `trusted` None: nobody
    was named to vouch for authorities. `detail` says why it is broken."""

    state: str
    at: datetime | None = None
    authority: str = ""
    serial: str = ""
    policy: str = ""
    trusted: bool | None = None
    detail: str = ""

    @property
    def counts(self) -> bool:
        """Whether the certificate is judged at its time. One of an authority that is not trusted proves nothing, and is
        as good as none: anybody can take it away (ETSI EN 319 102-1 section 5.5 treats it alike)."""
        return self.state == "valid" and self.trusted is not False

    def as_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "at": iso_of(self.at),
            "authority": self.authority,
            "serial": self.serial,
            "policy": self.policy,
            "trusted": self.trusted,
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
    issuers: tuple[str, ...] = ()  # names of the certificates after the signer's, as the seal holds them
    trusted_by: str = ""  # who of those trusted vouches: the signer's own certificate or an authority
    timestamp: TimestampReport | None = None

    @property
    def judged_at(self) -> datetime | None:
        """The time at which the certificate had to be valid: the timestamp's, else the one the signer claims."""
        return self.timestamp.at if self.timestamp is not None and self.timestamp.counts else self.signed_at

    @property
    def ok(self) -> bool:
        """Nothing is wrong. True also when trust was not asked for: see `trusted`."""
        return not self.problem

    def words(self, language: str = "vi", now: datetime | None = None) -> list[str]:
        """The report as lines for people, "vi" or "en". `now` (aware): also say of a certificate that ended meanwhile
        that this is no fault of the seal."""
        return _words(self, 0 if language == "vi" else 1, now)

    def as_json(self) -> dict[str, Any]:
        vi, en = PROBLEMS.get(self.problem, ("", ""))
        return {
            "ok": self.ok,
            "intact": self.intact,
            "trusted": self.trusted,
            "signer": self.signer,
            "certificate_serial": self.certificate_serial,
            "valid_from": iso_of(self.valid_from),
            "valid_to": iso_of(self.valid_to),
            "signed_at": iso_of(self.signed_at),
            "judged_at": iso_of(self.judged_at),
            "issuers": list(self.issuers),
            "trusted_by": self.trusted_by,
            "timestamp": self.timestamp.as_json() if self.timestamp else None,
            "code": self.document.envelope.code if self.document else None,
            "version": self.document.envelope.version if self.document else None,
            "withdrawn": self.document.dossier.withdrawn if self.document else None,
            "corrections": len(self.document.dossier.corrections) if self.document else None,
            "problem": {"code": self.problem, "detail": self.detail, "vi": vi, "en": en} if self.problem else None,
        }


def iso_of(at: datetime | None) -> str | None:
    """An instant for machines."""
    return at.isoformat() if at else None


def moment_words(at: datetime | None, language: int) -> str:
    """An instant for people: on Vietnam's wall clock in Vietnamese (0), in UTC in English; "?" without one."""
    if at is None:
        return "?"
    return at.isoformat() if language else f"{at.astimezone(OFFICE_ZONE):%H:%M:%S ngày %d.%m.%Y} (giờ Việt Nam)"


def _after_sending(dossier: Dossier, language: int) -> list[str]:
    """What a version after the first is: a withdrawal, a correction of so many values, or neither."""
    if dossier.withdrawn:
        words = ("Rút hồ sơ: cơ sở y tế xin rút hồ sơ này", "Withdrawal: the facility asks to take this dossier back")
        return [words[language]]
    changed = len(dossier.corrections)
    words = (f"Bản sửa: {changed} giá trị khác với bản trước", f"Correction, values changed: {changed}")
    return [words[language]] if changed else []


def _words(report: Report, language: int, now: datetime | None) -> list[str]:
    def say(vi: str, en: str) -> str:
        return (vi, en)[language]

    lines = [f"{say('Nguyên vẹn', 'Intact')}: {_yes_no(report.intact, language)}"]
    if report.problem:
        tail = f" [{report.problem}{': ' + report.detail if report.detail else ''}]"
        lines.append(f"{say('Vấn đề', 'Problem')}: {PROBLEMS[report.problem][language]}{tail}")
    if report.document:
        envelope = report.document.envelope
        lines.append(f"{say('Hồ sơ', 'Dossier')}: {envelope.code}, {say('bản', 'version')} {envelope.version}")
        lines += _after_sending(report.document.dossier, language)
    if report.intact:
        lines += [*_signer_words(report, language), *_time_words(report, language, now)]
        trust = say("chưa kiểm tra: không cho chứng thư tin cậy", "not checked: no trusted certificate was given")
        if report.trusted is not None:
            above = report.trusted_by if report.trusted_by != report.signer else ""
            by = f"{say(', do', ', by')} {above}" if above else ""
            trust = _yes_no(report.trusted, language) + by
        lines.append(f"{say('Tin cậy', 'Trusted')}: {trust}")
    return lines


def _yes_no(answer: bool, language: int) -> str:
    return (("CÓ", "YES") if answer else ("KHÔNG", "NO"))[language]


def _signer_words(report: Report, language: int) -> list[str]:
    """Who signed, and who stands behind the signer's certificate."""
    who, serial, chain = (("Người ký", "số", "Cấp bởi"), ("Signed by", "serial", "Issued by"))[language]
    lines = [f"{who}: {report.signer} ({serial} {report.certificate_serial})"]
    return [*lines, f"{chain}: {' ← '.join(report.issuers)}"] if report.issuers else lines


def _time_words(report: Report, language: int, now: datetime | None) -> list[str]:
    """When it was signed, who says so, and whether the certificate was valid then."""
    claimed, valid = (
        ("Thời điểm ký (tự khai)", "Chứng thư có hiệu lực"),
        ("Signed at (claimed)", "Certificate valid"),
    )[language]
    lines = [
        f"{claimed}: {moment_words(report.signed_at, language)}",
        _timestamp_words(report.timestamp, language),
        f"{valid}: {moment_words(report.valid_from, language)} – {moment_words(report.valid_to, language)}",
    ]
    if report.valid_to and report.valid_from and report.judged_at:
        lines.append(_validity_words(report.valid_from, report.valid_to, report.judged_at, language))
    if report.valid_to and now is not None and now > report.valid_to and report.ok:
        words = (
            "Chứng thư nay đã hết hạn {0} ngày; chữ ký làm khi còn hạn vẫn có giá trị",
            "The certificate ended meanwhile, {0} days ago; what was sealed before still counts",
        )
        lines.append(words[language].format((now - report.valid_to).days))
    return lines


def _validity_words(begin: datetime, end: datetime, at: datetime, language: int) -> str:
    days = (end - at).days if at >= begin else (begin - at).days
    if begin <= at <= end:
        words = ("Lúc ký: còn hiệu lực {0} ngày", "When signed: valid, {0} days left")
    elif at > end:
        words = ("Lúc ký: đã hết hạn {0} ngày", "When signed: ended {0} days before")
        days = (at - end).days
    else:
        words = ("Lúc ký: còn {0} ngày mới có hiệu lực", "When signed: not yet valid for {0} days")
    return words[language].format(days)


def _timestamp_words(stamp: TimestampReport | None, language: int) -> str:
    label = ("Dấu thời gian", "Timestamp")[language]
    if stamp is None:
        words = ("không có: thời điểm chỉ do người ký khai", "none: the time is only what the signer claims")
    elif stamp.state == "broken":
        words = ("HỎNG", "BROKEN")
    elif stamp.state == "other":
        words = ("CỦA CHỮ KÝ KHÁC", "OF ANOTHER SIGNATURE")
    else:
        vouched = {
            None: (", chưa kiểm tra cơ quan cấp", ", authority not checked"),
            True: (", cơ quan cấp đáng tin cậy", ", authority trusted"),
            False: (
                ", cơ quan cấp KHÔNG nằm trong danh sách tin cậy: không được tính",
                ", authority NOT among those trusted: does not count",
            ),
        }[stamp.trusted]
        by = (" do ", " by ")[language]
        return f"{label}: {moment_words(stamp.at, language)}{by}{stamp.authority}{vouched[language]}"
    return f"{label}: {words[language]}"
