"""One session with a signing device (PKCS#11 2.40): logs in, finds the key, and begins anew after the device was away.

One caller at a time: the binding starts the device's library without locks (C_Initialize without arguments), so two
threads inside it at once would be undefined behaviour. Devices sign one after the other anyway.

A wrong PIN is tried once and never again by a running gateway, and not at all when the device says that it is the last
try before it locks itself.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NoReturn

import pkcs11
from pkcs11 import Attribute, Mechanism, ObjectClass, TokenFlag
from pkcs11.exceptions import (
    AttributeTypeInvalid,
    MultipleObjectsReturned,
    MultipleTokensReturned,
    NoSuchKey,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from gateway.errors import Misconfigured, SettingsError, Unreachable

_ALONE = threading.RLock()
"""Held around every call into a device's library, whichever key it is for."""

_WRONG_PIN = (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired)


class Device:
    """A private key on a token, by labels. `pin` is never shown. Safe to use from many threads."""

    def __init__(self, module: Path, token: str, key: str, pin: str) -> None:
        self._module, self._token, self._label, self._pin = module, token, key, pin
        self._session: Any = None
        self._key: Any = None
        self._pin_each_time: dict[str, str] = {}
        self._refused = False

    def start(self) -> tuple[Any, list[tuple[bool, bytes]]]:
        """Log in; the key's type, and the certificates on the token (DER), with whether each is the key's own: by
        CKA_ID, else by label. Raises SettingsError."""
        try:
            with _ALONE:
                self._open()
                wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE}
                asked = (Attribute.ID, Attribute.LABEL, Attribute.VALUE)
                found = [tuple(each[name] for name in asked) for each in self._session.get_objects(wanted)]
                key_type, key_id = self._key.key_type, self._key.id
        except NoSuchToken as error:
            raise SettingsError("signing.no_such_token", f"{self._module} has no token {self._token}") from error
        except (MultipleObjectsReturned, MultipleTokensReturned) as error:
            words = f"{self._module} has more than one token {self._token} or key {self._label}; labels must tell apart"
            raise SettingsError("signing.label_not_unique", words) from error
        except PKCS11Error as error:
            words = f"{self._module}: the device cannot be used ({type(error).__name__})"
            raise SettingsError("signing.device_unusable", words) from error
        by_id = any(each_id == key_id for each_id, _, _ in found if key_id)
        return key_type, [(each == key_id if by_id else label == self._label, der) for each, label, der in found]

    def sign(self, content: bytes, mechanism: Mechanism) -> bytes:
        """A signature by the device. Raises Unreachable while it is away, Misconfigured when it lets us in no more."""
        with _ALONE:
            try:
                return self._sign_anew(content, mechanism)
            except SettingsError as error:
                self.drop()
                raise Misconfigured(error.code, error.message) from error
            except PKCS11Error as error:
                self.drop()
                words = f"the signing device does not answer ({type(error).__name__})"
                raise Unreachable("signing.device_away", words) from error

    def _sign_anew(self, content: bytes, mechanism: Mechanism) -> bytes:
        """Sign; when that fails, once more in a new session: the old one may be dead although the device is there."""
        if self._key is not None:
            try:
                return self._sign(content, mechanism)
            except PKCS11Error:
                self.drop()
        self._open()
        return self._sign(content, mechanism)

    def drop(self) -> None:
        """Close the session. Other keys of this process log in again by themselves."""
        with _ALONE:
            session, self._session, self._key = self._session, None, None
            try:
                if session is not None:
                    session.close()
            except PKCS11Error:
                pass  # it was dead already

    def _sign(self, content: bytes, mechanism: Mechanism) -> bytes:
        try:
            return bytes(self._key.sign(content, mechanism=mechanism, **self._pin_each_time))
        except _WRONG_PIN:
            self._refuse_pin()

    def _open(self) -> None:
        """Find the key, logging in if that is still to be done."""
        if self._refused:
            self._refuse_pin()
        token = self._find_token()
        self._session = token.open()
        try:
            self._key = self._find()
        except NoSuchKey:  # private objects are hidden until somebody of this process has logged in
            self.drop()
            self._log_in(token)
        self._pin_each_time = {"pin": self._pin} if _asks_each_time(self._key) else {}

    def _find_token(self) -> Any:
        library = pkcs11.lib(str(self._module))
        try:
            return library.get_token(token_label=self._token)
        except NoSuchToken:
            # Some libraries look for devices only when they start. Other keys' sessions end, and open anew.
            library.reinitialize()
            return library.get_token(token_label=self._token)

    def _log_in(self, token: Any) -> None:
        if token.flags & (TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY):
            words = f"token {self._token} is locked or one wrong PIN away from it; log in with the vendor's tool first"
            raise SettingsError("signing.pin_final_try", words)
        try:
            self._session = token.open(user_pin=self._pin)
            self._key = self._find()
        except _WRONG_PIN:
            self._refuse_pin()
        except (UserAlreadyLoggedIn, NoSuchKey):
            words = f"token {self._token} holds no private key with the label {self._label}"
            raise SettingsError("signing.no_such_key", words) from None

    def _find(self) -> Any:
        return self._session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=self._label)

    def _refuse_pin(self) -> NoReturn:
        self._refused = True
        words = f"token {self._token} refuses the PIN; it was tried once. Correct signing.pin_file and start again"
        raise SettingsError("signing.pin_wrong", words) from None


def _asks_each_time(key: Any) -> bool:
    """CKA_ALWAYS_AUTHENTICATE: some devices want the PIN again for every signature."""
    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except (AttributeTypeInvalid, KeyError):
        return False
