"""What a provider has signed about who signed in: the ID token of OpenID Connect, and whether it is to be believed."""

from typing import TYPE_CHECKING, Any, Final

from server.identity.web import TroubleError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
)  # fmt: skip
"""Signatures that only who has the private key can make. Never `none`, nor HS256, by which a public key would do."""

LEEWAY: Final = 60
"""Seconds that the clocks of provider and server may differ."""

SUBJECT_CHARS: Final = 255
"""OpenID Connect Core 1.0, section 2: a subject is not longer."""


class UnknownKeyError(Exception):
    """It is signed with a key that is not among those we have: they may be newer."""


def key_set(document: dict[str, Any]) -> "KeySet":
    """Return the public keys of a JWKS that can be used; what is no key, or of a new kind, is left out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry, KeySet

    found = []
    keys = document.get("keys")
    for data in keys if isinstance(keys, list) else []:
        if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC", "OKP") or data.get("use") == "enc":
            continue
        try:
            found.append(JWKRegistry.import_key(data))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(found)


def claims(token: str, keys: "KeySet", issuer: str, client: str) -> dict[str, Any]:
    """Return what a token says.

    Args:
        token: as the provider gave it.
        keys: the provider's.
        issuer: who must have signed it.
        client: for whom it must be.

    Raises:
        UnknownKeyError: it names a key that is not among these.
        TroubleError: it is not to be believed.
    """
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError

    rules = jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        said = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        rules.validate(said)
    except InvalidKeyIdError:
        raise UnknownKeyError from None
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TroubleError(f"what it signed is not to be believed ({type(error).__name__})") from None
    # OpenID Connect Core 1.0, section 3.1.3.7: of several for whom it is, `azp` says who asked.
    several = isinstance(said["aud"], list) and len(said["aud"]) > 1
    if said.get("azp", "" if several else client) != client:
        raise TroubleError("what it signed is for another program")
    if len(said["sub"]) > SUBJECT_CHARS:
        raise TroubleError("its name for somebody is too long")
    return said
