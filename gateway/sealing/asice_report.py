"""What became of checking a container, as data for machines and in words for people (Vietnamese and English)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.sealing.report import PROBLEMS as DOSSIER_PROBLEMS
from gateway.sealing.report import Report, iso_of, moment_words

PROBLEMS: dict[str, tuple[str, str]] = {
    **DOSSIER_PROBLEMS,
    "asice.too_large": (
        "Gói hồ sơ quá lớn hoặc có quá nhiều tệp",
        "The container is too large or holds too many files",
    ),
    "asice.not_a_zip": (
        "Gói hồ sơ hỏng hoặc bị sửa: không phải tệp ZIP nguyên vẹn",
        "The container is damaged or was tampered with: not a sound ZIP file",
    ),
    "asice.name_unsafe": (
        "Tên một tệp trong gói không an toàn hoặc bị trùng",
        "A file's name in the container is unsafe or there twice",
    ),
    "asice.wrong_type": ("Tệp không phải gói ASiC-E", "The file is not an ASiC-E container"),
    "asice.signature_form": (
        "Chữ ký của gói không đúng dạng do cổng này tạo ra",
        "The container's signature is not in the form this gateway writes",
    ),
    "asice.file_missing": ("Gói thiếu một tệp phải có", "A file that must be there is missing"),
    "asice.file_changed": ("Có tệp đã bị thay đổi sau khi ký", "A file was changed after signing"),
    "asice.file_unsigned": ("Có tệp không được chữ ký bao trùm", "A file is not covered by the signature"),
    "asice.manifest": ("Danh mục tệp không khớp với các tệp", "The list of files does not fit the files"),
    "asice.receipt": ("Biên nhận không khớp với hồ sơ", "The receipt does not fit the dossier"),
    "asice.dossier": ("Hồ sơ bên trong gói có vấn đề", "There is a problem with the dossier inside"),
}
FILE_STATES = {
    "signed": ("được ký, nguyên vẹn", "signed, intact"),
    "changed": ("ĐÃ BỊ THAY ĐỔI sau khi ký", "CHANGED after signing"),
    "missing": ("THIẾU, dù đã được ký", "MISSING though it was signed"),
    "unsigned": ("KHÔNG được ký", "NOT signed"),
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file of a container; `state` is a key of FILE_STATES. Names that no gateway writes are shown as they are."""

    name: str
    state: str
    media_type: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class ContainerReport:
    """What `verify_container` found. `intact`: the container's signature holds over every file. `trusted` None: no
    trusted certificates were given. `dossier` is the report on dossier.xml's own seal, None when it is not there.
    `problem` is a key of PROBLEMS, "" when nothing is wrong; `detail` holds no personal data."""

    intact: bool
    files: tuple[FileReport, ...] = ()
    trusted: bool | None = None
    signer: str = ""
    certificate_serial: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    signed_at: datetime | None = None  # as the signer claims
    problem: str = ""
    detail: str = ""
    dossier: Report | None = None

    @property
    def ok(self) -> bool:
        """Nothing is wrong, neither with the container nor with the dossier in it."""
        return not self.problem

    def words(self, language: str = "vi", now: datetime | None = None) -> list[str]:
        """The report as lines for people, "vi" or "en"; `now` as in Report.words."""
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
            "files": [
                {"name": file.name, "state": file.state, "media_type": file.media_type, "size": file.size}
                for file in self.files
            ],
            "problem": {"code": self.problem, "detail": self.detail, "vi": vi, "en": en} if self.problem else None,
            "dossier": self.dossier.as_json() if self.dossier else None,
        }


def _words(report: ContainerReport, language: int, now: datetime | None) -> list[str]:
    def say(vi: str, en: str) -> str:
        return (vi, en)[language]

    yes_no = say("CÓ", "YES"), say("KHÔNG", "NO")
    lines = [f"{say('Gói hồ sơ nguyên vẹn', 'Container intact')}: {yes_no[0 if report.intact else 1]}"]
    if report.problem:
        tail = f" [{report.problem}{': ' + report.detail if report.detail else ''}]"
        lines.append(f"{say('Vấn đề', 'Problem')}: {PROBLEMS[report.problem][language]}{tail}")
    lines += [
        f"  {file.name}: {FILE_STATES[file.state][language]} ({file.size} {say('byte', 'bytes')})"
        for file in report.files
    ]
    if report.signer:
        serial = say("số", "serial")
        lines.append(f"{say('Gói do', 'Container signed by')}: {report.signer} ({serial} {report.certificate_serial})")
        signed_at = moment_words(report.signed_at, language)
        lines.append(f"{say('Thời điểm ký gói (tự khai)', 'Signed at (claimed)')}: {signed_at}")
        valid = say("Chứng thư có hiệu lực", "Certificate valid")
        lines.append(
            f"{valid}: {moment_words(report.valid_from, language)} – {moment_words(report.valid_to, language)}"
        )
        unknown = say("chưa kiểm tra: không cho chứng thư tin cậy", "not checked: no trusted certificate was given")
        trusted = unknown if report.trusted is None else yes_no[0 if report.trusted else 1]
        lines.append(f"{say('Tin cậy', 'Trusted')}: {trusted}")
    if report.dossier:
        inside = report.dossier.words("en" if language else "vi", now)
        lines += [f"{say('Hồ sơ bên trong', 'The dossier inside')} (dossier.xml):", *(f"  {line}" for line in inside)]
    return lines
