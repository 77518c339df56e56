"""Importing this package registers every named transform."""

from __future__ import annotations

from gateway.mapping.transforms import fhir, form, hl7v2, moh, text

__all__ = ["fhir", "form", "hl7v2", "moh", "text"]
