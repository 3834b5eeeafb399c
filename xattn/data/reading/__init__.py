"""Reading: any file or table of people and things as checked events and items, with a report of all that was assumed.

    bytes ── unpack ── encoding ── delimited, sheets, parquet, trees ──┐
    frames, SQL ───────────────────────────────────────────────────────┴─ tables ── shapes ── columns ── events, items

`read` holds the functions that users call. Nothing is imported here, so that `xattn.data.interactions` can use parts.
"""
