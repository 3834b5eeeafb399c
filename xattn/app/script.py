"""The script that Streamlit runs for each page view; it stands inside the package so that a wheel has it."""

from __future__ import annotations

from xattn.app import run

if __name__ == "__main__":  # Streamlit runs its script under this name
    run()
