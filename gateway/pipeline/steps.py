"""The steps by kind of work, in travelling order: what a worker runs."""

from __future__ import annotations

from gateway.lanes.worker import Handler
from gateway.pipeline.advance import Advance
from gateway.pipeline.answer import Answer
from gateway.pipeline.correlate import Correlate
from gateway.pipeline.follow import Follow
from gateway.pipeline.forward import Forward
from gateway.pipeline.interpret import Interpret
from gateway.pipeline.letters import MakeLetter
from gateway.pipeline.services import Services
from gateway.pipeline.verify_later import VerifyLater


def handlers(services: Services) -> dict[str, Handler]:
    """Every step's handler by the kind of work it does."""
    steps: list[Handler] = [
        Interpret(services),
        Correlate(services),
        Advance(services),
        VerifyLater(services),
        Forward(services),
        Follow(services),
        Answer(services),
        MakeLetter(services),
    ]
    return {step.kind: step for step in steps}
