"""``python -m xattn``: the same program as the command `xattn`."""

from xattn.cli import main

if __name__ == "__main__":
    main(prog_name="xattn")
