"""The pages of xattn: `streamlit run app.py`, or `xattn app` from anywhere."""

from xattn.app import run

run()
