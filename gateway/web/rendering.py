"""Pages from Jinja2 templates, escaped always, and the Vietnamese way of writing instants and days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.views.waiting import WaitingCount
from gateway.web.principal import Principal

VIETNAM = timezone(timedelta(hours=7))
"""Việt Nam keeps one time all year; pages show it, whatever the machine's zone."""

ROLE_NAMES = {
    "hospital": "Cơ sở y tế",
    "officer": "Công chức tư pháp – hộ tịch",
    "auditor": "Kiểm tra viên",
    "admin": "Quản trị hệ thống",
}


class Renderer:
    """Renders `templates/<name>`; a variable a template misses is an error, never an empty place."""

    def __init__(
        self,
        environment: str,
        count_waiting: Callable[[Principal], WaitingCount | None] | None = None,
        count_duplicates: Callable[[Principal], int] | None = None,
    ) -> None:
        """`count_waiting` and `count_duplicates` tell how many cases wait for a person and how many pairs may be one,
        for the links at the top of every page."""
        self.count_waiting = count_waiting or (lambda _person: None)
        self.count_duplicates = count_duplicates or (lambda _person: 0)
        self.jinja = Environment(
            loader=PackageLoader("gateway.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.jinja.filters.update(moment=moment, day=day, inline=inline)
        self.jinja.globals.update(role_names=ROLE_NAMES, not_production=environment != "production")

    def page(
        self,
        template: str,
        person: Principal | None,
        csrf: str,
        values: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """One page. `person` None: nobody is signed in; `csrf` goes into every form."""
        waiting = self.count_waiting(person) if person else None
        told = {"waiting": waiting, "doubled": self.count_duplicates(person) if person else 0, **(values or {})}
        text = self.jinja.get_template(template).render(person=person, csrf=csrf, **told)
        return HTMLResponse(text, status)


def moment(at: int) -> str:
    """Microseconds since 1970 UTC → "23/11/2026 08:15", Vietnamese time."""
    return datetime.fromtimestamp(at / 1_000_000, UTC).astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M")


def day(iso: str) -> str:
    """ISO date or instant → "23/11/2026" or "23/11/2026 08:15"; text of another shape stays as it is."""
    try:
        if len(iso) == 10:
            return date.fromisoformat(iso).strftime("%d/%m/%Y")
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    return (at.astimezone(VIETNAM) if at.tzinfo else at).strftime("%d/%m/%Y %H:%M")


def inline(label: str) -> str:
    """A label inside a sentence: small first letter, unless it begins with an abbreviation (CSDL, UBND)."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]
