"""Exceptions: what the gateway is unable to do. Facts about data are findings, not exceptions.

GatewayError
├── SettingsError          a setting is wrong or missing; the program refuses to start
├── MappingError           mapping files are wrong; lists every mistake; refuses to start
├── UnreadableMessage      the bytes are not a message we can take; answered AR / 400 / 422, never retried
├── PortError              a partner outside failed
│   ├── Unreachable        no answer or a passing fault: retry later
│   ├── Refused            a clear no: no retry, show it to a person
│   │   └── Misconfigured  a no to us and not to this question: credentials, address, agency; that partner rests
│   └── Misunderstood      an answer we cannot make sense of: no retry, alert
├── LogError               the evidence log
│   ├── LogUnavailable     nothing can be written: messages are refused, never acknowledged
│   └── ChainBroken        the hash chain does not verify: stop and say so
└── Conflict               another writer was first (stale case, lost lease): run the work again

`code` is stable and lower case, `family.reason`; it is for machines. `str(error)` is for people. Neither holds
personal data. docs/errors.md lists every code.
"""

from __future__ import annotations

from dataclasses import dataclass


class GatewayError(Exception):
    """Root of the tree. `code` names the reason for machines; the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class SettingsError(GatewayError):
    """A setting is wrong or missing. The message names the setting and the remedy."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a mapping file: which file, which line (1-based), which row, what to do."""

    file: str
    line: int
    row: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.row}: {self.problem}. {self.remedy}"


class MappingError(GatewayError):
    """Mapping files are wrong. `mistakes` has all of them, not only the first."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("mapping.invalid", "\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class UnreadableMessage(GatewayError):
    """The bytes are not a message the gateway can take. `where` names the place (segment, element or offset)."""

    def __init__(self, code: str, where: str, message: str, hl7_code: str = "207") -> None:
        super().__init__(code, message)
        self.where = where
        self.hl7_code = hl7_code


class PortError(GatewayError):
    """A partner outside (population database, commune system, signing device, hospital) failed. `evidence` is what it
    answered, as bytes, for the encrypted log alone; `retry_after` seconds before which asking again is pointless."""

    def __init__(self, code: str, message: str, evidence: bytes = b"", retry_after: float = 0.0) -> None:
        super().__init__(code, message)
        self.evidence = evidence
        self.retry_after = retry_after


class Unreachable(PortError):
    """No answer, or a passing fault. Retry later."""


class Refused(PortError):
    """A clear no. Do not retry; a person must see it."""


class Misconfigured(Refused):
    """The partner refuses us, whatever we ask: wrong credentials, address, agency or province. Everything for that
    partner rests until somebody mends it (DOMAIN: codes 100, 101, 106, 108 of the civil-status exchange)."""


class Misunderstood(PortError):
    """An answer that makes no sense to us. Do not retry; alert."""


class LogError(GatewayError):
    """The evidence log failed."""


class LogUnavailable(LogError):
    """The log cannot be written, so nothing may be acknowledged."""


class ChainBroken(LogError):
    """The hash chain does not verify."""


class Conflict(GatewayError):
    """Another writer was first: the case moved on or the lease was lost. The work simply runs again."""
