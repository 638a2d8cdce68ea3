"""Signing in at a provider: at a real one, and at one that says whatever a provider should not."""

import asyncio
import base64
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from provider import CLIENT, SECRET, Provider

from server.identity.provider import CodeSignIn, OpenIdProvider, SsoError, secret_from
from server.protocol.errors import Code, ProtocolError

DEVICE_CODE = "the-device-code-is-secret"
KEY = ECKey.generate_key("P-256", {"kid": "one"})
OTHER = ECKey.generate_key("P-256", {"kid": "two"})

Answer = tuple[int, Any] | None
"""Status, and what becomes JSON unless it is bytes; None drops the connection."""


class Scripted:
    """A provider that answers as it is told: per path a list, whose last answer stays."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        """Path, headers and form of each request."""
        self.described = {
            "issuer": self.issuer,
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "device_authorization_endpoint": f"{self.issuer}/device",
        }
        self.begun = {
            "device_code": DEVICE_CODE,
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://lab.example/device",
            "verification_uri_complete": "https://lab.example/device?user_code=WDJB-MJHT",
            "expires_in": 600,
        }
        self.answers: dict[str, list[Answer]] = {
            "/.well-known/openid-configuration": [(200, self.described)],
            "/keys": [(200, {"keys": [KEY.as_dict(private=False)]})],
            "/device": [(200, self.begun)],
        }

    def signs(self, **changed: Any) -> Answer:
        """Return the answer to who has signed in; a claim of None is left out."""
        return 200, {"id_token": jwt.encode({"alg": "ES256", "kid": "one"}, self.claims(**changed), KEY)}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return what is signed."""
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "sub": "248289", "iat": now, "exp": now + 60, **changed}
        return {key: value for key, value in said.items() if value is not None}

    def paths(self) -> list[str]:
        """Return what was asked for."""
        return [path for path, _, _ in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        path = head[0].split()[1]
        self.asked.append((path, headers, {key: values[0] for key, values in parse_qs(body).items()}))
        answers = self.answers[path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is not None:
            status, said = answer
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n".encode())
            writer.write(b"Set-Cookie: whose=mine; Path=/\r\n")
            writer.write(b"Location: https://elsewhere.example/\r\n\r\n" if 300 <= status < 400 else b"\r\n")
            writer.write(data)
        writer.close()


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    """A provider that answers as it is told."""
    scripts: list[Scripted] = []
    server = await asyncio.start_server(lambda reader, writer: scripts[0].serve(reader, writer), "127.0.0.1", 0)
    scripts.append(Scripted(server.sockets[0].getsockname()[1]))
    yield scripts[0]
    server.close()


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that were made: none takes any time."""
    return []


@pytest.fixture
async def to_scripted(scripted: Scripted, pauses: list[float]) -> AsyncIterator[OpenIdProvider]:
    """What signs people in at `scripted`."""

    async def pause(seconds: float) -> None:
        pauses.append(round(seconds))

    provider = OpenIdProvider(scripted.issuer, CLIENT, SECRET, "Lab", pause)
    yield provider
    await provider.close()


@pytest.fixture
def real(provider: Provider) -> Provider:
    """The real one: here others have that name."""
    return provider


async def shortly(seconds: float) -> None:
    """Pause for a tenth of what is asked for: a provider on loopback takes no harm."""
    await asyncio.sleep(seconds / 10)


@pytest.fixture
async def to() -> AsyncIterator[Callable[[Provider], OpenIdProvider]]:
    """Make what signs people in at a real provider."""
    made: list[OpenIdProvider] = []

    def make(provider: Provider) -> OpenIdProvider:
        made.append(OpenIdProvider(provider.issuer, CLIENT, SECRET, "Lab", shortly))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


def encoded(part: dict[str, Any] | bytes) -> str:
    """Return a part of a token as it stands there."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


async def refused(sign_in: CodeSignIn) -> ProtocolError:
    """Wait for a sign-in that comes to nothing."""
    with pytest.raises(ProtocolError) as caught:
        await sign_in.wait()
    return caught.value


class TestRealProvider:
    """At nanoidp."""

    async def test_who_signs_in_is_who_the_provider_says_each_time(
        self, real: Provider, to: Callable[[Provider], OpenIdProvider]
    ) -> None:
        """One person has one subject, another has another."""
        provider = to(real)
        subjects = []
        for who in ("alice", "bob", "alice"):
            sign_in = await provider.begin()
            assert sign_in.url == f"{real.issuer}/device"
            assert sign_in.code in sign_in.complete
            assert time.time() * 1000 < sign_in.expires <= (time.time() + 600) * 1000
            await asyncio.to_thread(real.approve, sign_in.code, who)
            subjects.append((await sign_in.wait()).subject)
        assert subjects == [f"{real.issuer} alice", f"{real.issuer} bob", f"{real.issuer} alice"]

    async def test_a_public_client_needs_no_secret(self, real: Provider) -> None:
        """Without a secret the client's id alone is sent."""
        provider = OpenIdProvider(real.issuer, "open", pause=shortly)
        sign_in = await provider.begin()
        await asyncio.to_thread(real.approve, sign_in.code, "bob")
        assert (await sign_in.wait()).subject == f"{real.issuer} bob"
        await provider.close()

    async def test_refused_there_is_refused_here(
        self, real: Provider, to: Callable[[Provider], OpenIdProvider]
    ) -> None:
        """Who presses no at the provider does not come in."""
        sign_in = await to(real).begin()
        await asyncio.to_thread(real.deny, sign_in.code)
        assert (await refused(sign_in)).code == Code.SSO_REFUSED

    async def test_a_wrong_secret_is_told_to_the_log_alone(
        self, real: Provider, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Who signs in learns that it does not work, who runs the server why."""
        provider = OpenIdProvider(real.issuer, CLIENT, "quite-another-secret", "Lab")
        with pytest.raises(ProtocolError) as caught:
            await provider.begin()
        await provider.close()
        assert caught.value.code == Code.SSO_UNAVAILABLE
        assert "invalid_client" in caplog.text
        assert "quite-another-secret" not in caplog.text

    async def test_nobody_signs_in_in_time(
        self, start_provider: Callable[..., Provider], to: Callable[[Provider], OpenIdProvider]
    ) -> None:
        """The code is good for two seconds; and where the provider is away until then, that is what is said."""
        real = start_provider(lifetime=2)
        assert (await refused(await to(real).begin())).code == Code.SSO_EXPIRED
        sign_in = await to(real).begin()
        real.stop()
        assert (await refused(sign_in)).code == Code.SSO_UNAVAILABLE

    async def test_a_provider_that_was_away_has_forgotten_its_codes(
        self, start_provider: Callable[..., Provider], to: Callable[[Provider], OpenIdProvider]
    ) -> None:
        """It is killed while somebody signs in, and started again: a new code is needed, and works."""
        real = start_provider()
        provider = to(real)
        sign_in = await provider.begin()
        real.stop()
        waiting = asyncio.create_task(refused(sign_in))
        real = await asyncio.to_thread(start_provider, port=real.port)
        assert (await waiting).code == Code.SSO_EXPIRED
        sign_in = await provider.begin()
        await asyncio.to_thread(real.approve, sign_in.code, "alice")
        assert (await sign_in.wait()).subject == f"{real.issuer} alice"


class TestRhythm:
    """How often it is asked, and what ends that."""

    async def test_it_asks_as_often_as_the_provider_wants(
        self, scripted: Scripted, to_scripted: OpenIdProvider, pauses: list[float]
    ) -> None:
        """`interval`, and five seconds more for each `slow_down` (RFC 8628, section 3.5)."""
        scripted.begun["interval"] = 7
        pending, slower = (400, {"error": "authorization_pending"}), (400, {"error": "slow_down"})
        scripted.answers["/token"] = [
            pending,
            slower,
            pending,
            slower,
            scripted.signs(preferred_username="al@x.example"),
        ]
        identity = await (await to_scripted.begin()).wait()
        assert (identity.subject, identity.name) == (f"{scripted.issuer} 248289", "al")
        assert pauses == [7, 7, 12, 12, 17]

    @pytest.mark.parametrize(("interval", "pause"), [(None, 5), (0, 1), (-3, 1), (10_000, 60)])
    async def test_no_interval_is_too_short_or_too_long(
        self, scripted: Scripted, to_scripted: OpenIdProvider, pauses: list[float], interval: int | None, pause: int
    ) -> None:
        """It is five seconds where none is named, and never less than one or more than sixty."""
        if interval is not None:
            scripted.begun["interval"] = interval
        scripted.answers["/token"] = [scripted.signs()]
        await (await to_scripted.begin()).wait()
        assert pauses == [pause]

    async def test_a_provider_in_trouble_is_asked_less_and_less(
        self, scripted: Scripted, to_scripted: OpenIdProvider, pauses: list[float]
    ) -> None:
        """Twice the pause after each failure; when it is back, one is in."""
        troubles: list[Answer] = [None, (503, {}), (429, {}), (200, b"<html>"), (400, b"<html>"), (302, {})]
        scripted.answers["/token"] = [*troubles, scripted.signs()]
        assert (await (await to_scripted.begin()).wait()).subject == f"{scripted.issuer} 248289"
        assert pauses == [5, 10, 20, 40, 60, 60, 60]

    async def test_the_time_is_up_also_where_the_provider_never_says_so(
        self, scripted: Scripted, to_scripted: OpenIdProvider
    ) -> None:
        """A code that is good for a moment, and answers that say that it is good still."""
        scripted.begun["expires_in"] = 0.05
        scripted.answers["/token"] = [(400, {"error": "authorization_pending"})]
        assert (await refused(await to_scripted.begin())).code == Code.SSO_EXPIRED

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            ("access_denied", Code.SSO_REFUSED),
            ("expired_token", Code.SSO_EXPIRED),
            ("invalid_grant", Code.SSO_EXPIRED),
            ("unauthorized_client", Code.SSO_UNAVAILABLE),
        ],
    )
    async def test_what_ends_it(self, scripted: Scripted, to_scripted: OpenIdProvider, error: str, code: Code) -> None:
        """Each of these is the last question; Google answers them with 403 and 428."""
        scripted.answers["/token"] = [(428, {"error": "authorization_pending"}), (403, {"error": error})]
        assert (await refused(await to_scripted.begin())).code == code
        assert scripted.paths().count("/token") == 2

    async def test_a_code_is_good_for_a_quarter_of_an_hour_at_most(
        self, scripted: Scripted, to_scripted: OpenIdProvider
    ) -> None:
        """A provider may say thirty minutes: nobody waits here for so long."""
        scripted.begun["expires_in"] = 1800
        assert (await to_scripted.begin()).expires <= (time.time() + 900) * 1000


class TestSigned:
    """Which signatures are believed."""

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://evil.example"},
            {"iss": None},
            {"aud": "another"},
            {"aud": None},
            {"aud": []},
            {"aud": [CLIENT, "another"]},
            {"aud": [CLIENT, "another"], "azp": "another"},
            {"azp": "another"},
            {"exp": 1},
            {"exp": None},
            {"exp": "never"},
            {"iat": 4_000_000_000},
            {"iat": None},
            {"nbf": 4_000_000_000},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "x" * 256},
        ],
        ids=str,
    )
    async def test_what_is_wrong_is_not_believed(
        self, scripted: Scripted, to_scripted: OpenIdProvider, claims: dict[str, Any]
    ) -> None:
        """Well signed, but not about this sign-in."""
        scripted.answers["/token"] = [scripted.signs(**claims)]
        assert (await refused(await to_scripted.begin())).code == Code.SSO_UNAVAILABLE

    async def test_clocks_may_differ_by_a_minute(self, scripted: Scripted, to_scripted: OpenIdProvider) -> None:
        """Either way."""
        now = int(time.time())
        scripted.answers["/token"] = [scripted.signs(iat=now + 50, exp=now + 90)]
        await (await to_scripted.begin()).wait()
        scripted.answers["/token"] = [scripted.signs(iat=now - 90, exp=now - 40)]
        await (await to_scripted.begin()).wait()

    async def test_for_several_it_names_who_asked(self, scripted: Scripted, to_scripted: OpenIdProvider) -> None:
        """`azp` makes the difference."""
        scripted.answers["/token"] = [scripted.signs(aud=["another", CLIENT], azp=CLIENT)]
        assert (await (await to_scripted.begin()).wait()).subject == f"{scripted.issuer} 248289"

    async def test_a_forged_signature_is_not_believed(self, scripted: Scripted, to_scripted: OpenIdProvider) -> None:
        """No signature, one by the public key as if it were a password, another key, a cut one, nothing at all."""
        claims = scripted.claims()
        by_public_key = encoded({"alg": "HS256", "kid": "one"}) + "." + encoded(claims)
        mac = hmac.digest(KEY.as_pem(private=False), by_public_key.encode(), "sha256")
        good = jwt.encode({"alg": "ES256", "kid": "one"}, claims, KEY)
        head, body, _ = good.split(".")
        large = RSAKey.generate_key(2048, {"kid": "one"})
        for token in (
            encoded({"alg": "none", "kid": "one"}) + f".{body}.",
            f"{head}.{body}.",
            f"{by_public_key}.{encoded(mac)}",
            jwt.encode({"alg": "ES256", "kid": "one"}, claims, OTHER),
            jwt.encode({"alg": "RS256", "kid": "one"}, claims, large),
            good[:-3],
            "x",
            "",
            "..",
            "é.é.é",
            None,
        ):
            scripted.answers["/token"] = [(200, {"id_token": token} if token is not None else {})]
            assert (await refused(await to_scripted.begin())).code == Code.SSO_UNAVAILABLE, token

    async def test_new_keys_are_looked_for_once_a_minute(
        self, scripted: Scripted, to_scripted: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The provider changes its key: the first to sign in with it is in, and forgeries cost no look each."""
        scripted.answers["/token"] = [
            (200, {"id_token": jwt.encode({"alg": "ES256", "kid": "two"}, scripted.claims(), OTHER)})
        ]
        sign_in = await to_scripted.begin()
        scripted.answers["/keys"] = [(200, {"keys": [7, {"kty": "new"}, {"kty": "EC"}, OTHER.as_dict(private=False)]})]
        assert (await refused(sign_in)).code == Code.SSO_UNAVAILABLE
        assert scripted.paths().count("/keys") == 1
        monkeypatch.setattr("server.identity.issuer.KEYS_AGAIN", 0)
        sign_in = await to_scripted.begin()
        assert (await sign_in.wait()).subject == f"{scripted.issuer} 248289"
        assert scripted.paths().count("/keys") == 2


class TestDescription:
    """What the provider says of itself."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"issuer": "https://evil.example"},
            {"device_authorization_endpoint": ""},
            {"token_endpoint": "http://192.0.2.1/token"},
            {"jwks_uri": "file:///etc/passwd"},
            {"jwks_uri": 7},
        ],
        ids=str,
    )
    async def test_a_description_that_can_not_be_used(
        self, scripted: Scripted, to_scripted: OpenIdProvider, changed: dict[str, Any]
    ) -> None:
        """Nothing secret is sent to where it points."""
        scripted.described.update(changed)
        with pytest.raises(ProtocolError) as caught:
            await to_scripted.begin()
        assert caught.value.code == Code.SSO_UNAVAILABLE
        assert len(scripted.asked) == 1

    @pytest.mark.parametrize(
        "answer",
        [None, (500, {}), (404, {}), (301, {}), (200, b"[]"), (200, b"[" * 9999), (200, b" " * 300_000)],
        ids=str,
    )
    async def test_an_answer_that_can_not_be_used(
        self, scripted: Scripted, to_scripted: OpenIdProvider, caplog: pytest.LogCaptureFixture, answer: Answer
    ) -> None:
        """No redirect is followed, nothing endless read; the log says it once as long as it is so."""
        scripted.answers["/.well-known/openid-configuration"] = [answer]
        for _ in range(3):
            with pytest.raises(ProtocolError) as caught:
                await to_scripted.begin()
            assert caught.value.code == Code.SSO_UNAVAILABLE
        assert caplog.text.count("Nobody can sign in by Lab") == 1

    async def test_it_is_read_once_an_hour(
        self, scripted: Scripted, to_scripted: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Many sign-ins at once cost one look."""
        await asyncio.gather(*(to_scripted.begin() for _ in range(20)))
        assert scripted.paths().count("/.well-known/openid-configuration") == 1
        assert scripted.paths().count("/device") == 20
        monkeypatch.setattr("server.identity.issuer.KNOWN", 0)
        await to_scripted.begin()
        assert scripted.paths().count("/.well-known/openid-configuration") == 2


class TestBegun:
    """What people are shown."""

    @pytest.mark.parametrize(
        "changed",
        [
            {"verification_uri": "http://lab.example/device"},
            {"verification_uri": "javascript:alert(1)"},
            {"verification_uri": "https://lab.example/\x1b[2J"},
            {"verification_uri": "https://alice@lab.example/"},
            {"verification_uri": "https://lab.example/" + "x" * 1000},
            {"verification_uri": "https://lаb.example/"},
            {"verification_uri": "https://[::1"},
            {"verification_uri": ""},
            {"user_code": "\x1b]52;c;x\x07"},
            {"user_code": ""},
            {"user_code": "x" * 65},
            {"device_code": ""},
            {"expires_in": 0},
            {"expires_in": "soon"},
        ],
        ids=str,
    )
    async def test_what_can_not_be_shown_is_not_shown(
        self, scripted: Scripted, to_scripted: OpenIdProvider, changed: dict[str, Any]
    ) -> None:
        """A provider's words reach terminals: only plain ones do."""
        scripted.begun.update(changed)
        with pytest.raises(ProtocolError) as caught:
            await to_scripted.begin()
        assert caught.value.code == Code.SSO_UNAVAILABLE

    async def test_the_address_with_the_code_is_left_out_where_it_is_none(
        self, scripted: Scripted, to_scripted: OpenIdProvider
    ) -> None:
        """One types the code then."""
        scripted.begun["verification_uri_complete"] = "ftp://lab.example/"
        assert (await to_scripted.begin()).complete == ""

    async def test_google_names_the_address_differently(self, scripted: Scripted, to_scripted: OpenIdProvider) -> None:
        """And everyone may write numbers as strings."""
        scripted.begun["verification_url"] = scripted.begun.pop("verification_uri")
        scripted.begun["expires_in"] = "60"
        assert (await to_scripted.begin()).url == "https://lab.example/device"


class TestSecrets:
    """Where the client's secret goes, and where not."""

    async def test_a_secret_travels_as_the_provider_wants_it(
        self, scripted: Scripted, to_scripted: OpenIdProvider
    ) -> None:
        """In the header by default, in the form where that alone is offered."""
        scripted.answers["/token"] = [scripted.signs()]
        await (await to_scripted.begin()).wait()
        sent = {path: (headers, form) for path, headers, form in scripted.asked}
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        for path in ("/device", "/token"):
            assert sent[path][0]["authorization"] == basic
            assert sent[path][1]["client_id"] == CLIENT
            assert "client_secret" not in sent[path][1]
        assert sent["/device"][1]["scope"] == "openid profile"
        assert not any("cookie" in headers for _, headers, _ in scripted.asked)

    async def test_in_the_form_where_the_header_is_not_taken(
        self, scripted: Scripted, to_scripted: OpenIdProvider
    ) -> None:
        """As `token_endpoint_auth_methods_supported` says."""
        scripted.described["token_endpoint_auth_methods_supported"] = ["client_secret_post"]  # type: ignore[assignment]
        await to_scripted.begin()
        _, headers, form = scripted.asked[-1]
        assert "authorization" not in headers
        assert form["client_secret"] == SECRET

    async def test_nothing_secret_is_logged(
        self, scripted: Scripted, to_scripted: OpenIdProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Also where a provider sends back what it was sent, or signs what is not to be believed."""
        caplog.set_level(logging.INFO)
        echo = {"error": "server_error", "error_description": f"{SECRET} {DEVICE_CODE}"}
        bad = scripted.signs(aud="another")
        assert bad is not None
        token = bad[1]["id_token"]
        scripted.answers["/token"] = [(400, echo), bad, (400, {"error": DEVICE_CODE}), None]
        scripted.begun["expires_in"] = 0.05
        for _ in range(4):
            said = await refused(await to_scripted.begin())
            for secret in (SECRET, DEVICE_CODE, token):
                assert secret not in caplog.text
                assert secret not in said.message
                assert secret not in repr(said)
        assert "server_error" in caplog.text


class TestSetUp:
    """What whoever runs the server sets."""

    @pytest.mark.parametrize("issuer", ["http://id.example", "id.example", "", "https://", "https://a b.example"])
    def test_an_issuer_is_reached_by_https(self, issuer: str) -> None:
        """Or is this machine."""
        with pytest.raises(SsoError, match="https"):
            OpenIdProvider(issuer, CLIENT)

    async def test_without_a_name_it_is_called_by_its_host(self) -> None:
        """And no name acts on a terminal."""
        assert OpenIdProvider("https://id.example/realms/lab", CLIENT).name == "id.example"
        assert "\x1b" not in OpenIdProvider("https://id.example", CLIENT, name="\x1b[2JLab").name

    def test_the_packages_that_are_missing_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With what brings them."""
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        with pytest.raises(SsoError, match=r"pip install 'chat-tui\[sso\]'"):
            OpenIdProvider("https://id.example", CLIENT)

    def test_the_secret_comes_from_a_file(self, tmp_path: Path) -> None:
        """Without the newline at its end; what is wrong with the file is said."""
        file = tmp_path / "secret"
        with pytest.raises(SsoError, match="No such file"):
            secret_from(file)
        file.write_text("\n")
        with pytest.raises(SsoError, match="empty"):
            secret_from(file)
        file.write_bytes(b"\xff")
        with pytest.raises(SsoError, match="no text"):
            secret_from(file)
        file.write_text("hush\n")
        assert secret_from(file) == "hush"
