"""How the tables of a store came to be, step by step; `xattn.live.schema` runs the steps that a store lacks."""
