"""Errors on their way out: one JSON shape for machines, OperationOutcome under /fhir, a page for people.

No answer repeats what was sent: a rejected body may hold a person's data.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from gateway.errors import Conflict, LogUnavailable
from gateway.views.cursor import BadCursor
from gateway.web.hardening import HEADERS
from gateway.web.site import site_of

_log = structlog.get_logger(__name__)
MACHINES = ("/api/", "/fhir", "/hl7v2", "/moh", "/healthz", "/readyz", "/metrics", "/openapi.json")
_ISSUES = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 413: "too-long"}
_WORDS_VI = {
    400: "Yêu cầu không hợp lệ.",
    403: "Tài khoản này không được phép xem trang này.",
    404: "Không có trang hoặc hồ sơ này, hoặc hồ sơ thuộc xã khác.",
    405: "Trang này không nhận thao tác đó.",
    413: "Dữ liệu gửi lên quá lớn.",
    503: "Hệ thống tạm thời chưa ghi được. Chưa có gì được lưu; xin thử lại sau ít phút.",
}


class Problem(Exception):
    """Why a request is not answered as asked. `code` is `family.reason`; `message` is for people, without personal
    data."""

    def __init__(self, status: int, code: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.where = status, code, message, where


class SignInFirst(Exception):
    """The page needs a signed-in person."""


def install(app: FastAPI) -> None:
    """Register every handler."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(SignInFirst, _sign_in_first)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(BadCursor, _bad_cursor)
    app.add_exception_handler(LogUnavailable, _log_unavailable)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(Exception, _unexpected)


def answer(request: Request, problem: Problem) -> Response:
    """The problem in the shape the asker understands."""
    path = request.url.path
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
    if path == "/fhir" or path.startswith("/fhir/"):
        issue = {
            "severity": "error",
            "code": _ISSUES.get(problem.status, "exception"),
            "details": {"coding": [{"code": problem.code}], "text": problem.message},
        } | ({"expression": [problem.where]} if problem.where else {})
        body = {"resourceType": "OperationOutcome", "issue": [issue]}
        return JSONResponse(body, problem.status, headers, "application/fhir+json")
    if path.startswith(MACHINES):
        error = {"code": problem.code, "message": problem.message, "where": problem.where}
        return JSONResponse({"error": error}, problem.status, headers)
    words = _WORDS_VI.get(problem.status, "Hệ thống gặp lỗi. Lỗi đã được ghi lại; xin thử lại sau.")
    values = {"status": problem.status, "words": words, "code": problem.code}
    return site_of(request).renderer.page("problem.html", None, "", values, problem.status)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(request, error)


async def _sign_in_first(request: Request, error: Exception) -> Response:
    back = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/dang-nhap?tiep={quote(back)}", 303)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase.lower()
    return answer(request, Problem(error.status_code, f"http.{phrase.replace(' ', '_')}", phrase))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    places = sorted({".".join(str(part) for part in mistake["loc"]) for mistake in error.errors()})
    return answer(request, Problem(422, "request.invalid", "the request is not as documented", ", ".join(places)))


async def _bad_cursor(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadCursor)
    return answer(request, Problem(400, error.code, error.message, "query.after"))


async def _log_unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, LogUnavailable)
    return answer(request, Problem(503, error.code, "the evidence log cannot be written, so nothing is shown or taken"))


async def _conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, Conflict)
    return answer(request, Problem(503, error.code, "another writer was first; nothing was written, try again"))


async def _unstorable(request: Request, error: Exception) -> Response:
    # PostgreSQL has no null character in text, so nothing can be called by a name that holds one.
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        return answer(request, Problem(404, "http.not_found", "nothing is called so"))
    return await _unexpected(request, error)


async def _unexpected(request: Request, error: Exception) -> Response:
    # The type alone: str(error) of a foreign exception may quote a value.
    _log.error("http.unexpected", type=type(error).__name__, method=request.method)
    response = answer(request, Problem(500, "http.unexpected", "an error inside the gateway; it was logged"))
    response.headers.update(HEADERS)  # this handler answers outside the middleware that adds them
    return response
