"""A fault that the population service answers with, as the port's exception: table `dancu_faults`, longest code first
(`Server.ServerProxy.AccessDenied` before `Server`)."""

from __future__ import annotations

from gateway.errors import Misconfigured, PortError, Refused, Unreachable
from gateway.mapping.registry import CodeTable


def to_error(code: str, faults: CodeTable, evidence: bytes) -> PortError:
    """The exception of a fault code, prefix or not (`soapenv:Server`). An unknown code is a no like any other: Refused.
    Neither code nor words of the far side are told, as both may hold what was asked; the evidence has them."""
    parts = code.strip().rpartition(":")[2].split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    meaning = next((value for value in map(faults.get, names) if value), "refused")
    if meaning == "unreachable":
        return Unreachable("population.fault", "the service has a passing fault", evidence)
    if meaning == "misconfigured":
        words = "the service does not let us ask: check officer, service and integration codes and what was agreed"
        return Misconfigured("population.not_entitled", words, evidence)
    return Refused("population.refused", "the service refuses the question", evidence)


def to_status_error(status: int, evidence: bytes) -> PortError:
    """The exception of an HTTP status that is neither success nor one the connection itself explains."""
    if status in (404, 405, 415):
        words = f"status {status}: nobody answers questions there; check the url"
        return Misconfigured("population.wrong_address", words, evidence)
    return Refused("population.refused", f"status {status}: the service refuses the question", evidence)
