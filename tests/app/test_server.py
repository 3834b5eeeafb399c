"""The server refuses a port it cannot have before it works, and its settings are the safe ones."""

from __future__ import annotations

import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from xattn.app import serve, server
from xattn.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("port", [0, -1, 65536, 1.5, "8501", None, True])
def test_a_wrong_port_is_refused(port: Any) -> None:
    with pytest.raises(InputError, match="`port` must be a whole number from 1 to 65535; got "):
        serve(port)


def test_a_taken_port_is_told_before_the_model_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.state, "warm", lambda: pytest.fail("the port is checked first"))
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"`port` must be one that is free at localhost; got {port} "):
            serve(port)


def test_an_unknown_address_is_refused() -> None:
    with pytest.raises(InputError, match="`port` must be one that is free at no\\.such\\.host\\.invalid; got 8501 "):
        serve(8501, "no.such.host.invalid")


def test_an_interrupt_ends_it_quietly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(server.state, "warm", interrupt)
    monkeypatch.setattr(server, "_check_free", lambda port, address: None)
    serve(8501)
    assert capsys.readouterr().out.endswith("Stopped.\n")


def test_settings_are_safe_and_known_to_streamlit() -> None:
    from streamlit import config

    settings = server.settings(8501, "localhost")
    assert set(settings) <= set(config.get_config_options())
    assert settings["browser.gatherUsageStats"] is False
    assert settings["server.enableXsrfProtection"] is True
    assert settings["client.showErrorDetails"] == "none"
    assert settings["server.address"] == "localhost"


def test_the_theme_comes_with_the_package_and_fetches_nothing() -> None:
    theme = Path(str(server.settings(8501, "localhost")["theme.base"]))
    assert theme.is_relative_to(ROOT / "xattn")
    assert "://" not in theme.read_text("utf-8")
    both = tomllib.loads(theme.read_text("utf-8"))["theme"]
    assert set(both["light"]) == set(both["dark"]), "a colour that one side lacks would be the other side's"


def test_the_folders_settings_agree_with_the_servers() -> None:
    here = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    settings = server.settings(8501, "localhost")
    for section, options in here.items():
        for name, value in options.items():
            if section == "theme":
                assert (ROOT / value).samefile(str(settings["theme.base"]))
            else:
                assert settings[f"{section}.{name}"] == value


def test_importing_the_app_is_light() -> None:
    code = "import sys, xattn.app; print('streamlit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
