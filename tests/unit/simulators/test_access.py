"""Who may ask the simulated exchange."""

from __future__ import annotations

import base64

from gateway.simulators.access import Access

ASK = b"grant_type=client_credentials&client_id=gateway&client_secret=s3cret"


def test_without_a_secret_everybody_may_ask() -> None:
    assert Access().allows("")
    assert Access().give("", b"grant_type=client_credentials&client_id=x")[0] == 200


def test_the_secret_is_a_bearer_token_itself() -> None:
    access = Access("s3cret")
    assert access.allows("Bearer s3cret")
    assert not any(map(access.allows, ("", "Bearer", "Bearer other", "Basic s3cret", "Bearer s3crét")))


def test_a_client_gets_a_token_by_its_secret_in_the_form_or_as_basic() -> None:
    access = Access("s3cret")
    basic = "Basic " + base64.b64encode(b"gateway:s3cret").decode()
    for authorization, body in (("", ASK), (basic, b"grant_type=client_credentials")):
        status, told = access.give(authorization, body)
        assert status == 200
        assert told["token_type"] == "Bearer"
        assert access.allows(f"Bearer {told['access_token']}")


def test_a_client_without_the_secret_gets_none() -> None:
    access = Access("s3cret")
    assert access.give("", ASK.replace(b"s3cret", b"other")) == (401, {"error": "invalid_client"})
    assert access.give("Basic %%%", ASK) == (401, {"error": "invalid_client"})
    assert access.give("", b"client_id=gateway&client_secret=s3cret") == (400, {"error": "unsupported_grant_type"})


def test_tokens_that_are_forgotten_are_worth_nothing_but_the_secret_still_is() -> None:
    access = Access("s3cret")
    token = access.give("", ASK)[1]["access_token"]
    access.forget()
    assert not access.allows(f"Bearer {token}")
    assert access.allows(f"Bearer {access.give('', ASK)[1]['access_token']}")
    assert access.allows("Bearer s3cret")
