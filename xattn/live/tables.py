"""The tables of a store. Rows are added and, when a person is forgotten, deleted; none is ever changed.

    events       what people did                      one row an event; its id is given once
    lists        what was served                      items, scores, and the ledger of each score
    feedback     what people said of items            likes and dislikes, more and less, and what takes them back
    answers      what people answered to questions
    settings     what people switched                 the newest row of a key holds
    models       which models have served             their files lie in a folder of their own
    forgotten    marks of people of the data set      a keyed hash each: they stay out after a restart
    api_keys     who may call                         a hash each
    meta         what the store is

Every row that is a person's bears `seq`: one count over all these tables, in the order of acknowledgement. So "all with
a seq up to n" is what the store knew at one moment.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, MetaData, String, Table, Text

__all__ = ["PERSONAL", "answers", "api_keys", "events", "feedback", "forgotten", "lists", "meta", "metadata", "models"]

metadata = MetaData()
Seq = BigInteger().with_variant(Integer(), "sqlite")

events = Table(
    "events",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("id", String(200), nullable=False, unique=True),
    Column("user", String(200), nullable=False),
    Column("item", String(200), nullable=False),
    Column("type", String(200)),
    Column("value", Float(53)),
    Column("time", Float(53)),  # seconds since 1970, as given; null where none was
    Column("received", Float(53), nullable=False),
    Column("list_id", String(200)),
    Column("position", Integer),
    Index("events_of_user", "user", "seq"),
)

lists = Table(
    "lists",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seq", Seq, nullable=False),  # the newest row of the store that the list knew
    Column("user", String(200), nullable=False),
    Column("made", Float(53), nullable=False),
    Column("asked", Float(53)),  # the moment from which the list counted how long ago events were; null: the newest one
    Column("model", String(64), nullable=False),  # the fingerprint of the model
    Column("personal", Boolean, nullable=False),
    Column("items", Text, nullable=False),  # item ids, as a JSON list
    Column("numbers", LargeBinary, nullable=False),  # scores, bases, propensities, ledger; see `xattn.live.record`
    Column("conditions", Text, nullable=False),  # what was asked, as JSON
    Column("scenario", String(64)),  # the name of the field that the list was served in
    Index("lists_of_user", "user", "seq"),
    Index("lists_of_model", "model"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("id", String(200), nullable=False, unique=True),
    Column("user", String(200), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("item", String(200)),
    Column("event", String(200)),  # the item whose events were the reason
    Column("tag", Text),
    Column("undoes", String(200)),
    Column("list_id", String(200)),
    Column("alike", Text),  # of "not interested": the items of the list that had the same largest reason, as JSON
    Column("time", Float(53)),
    Column("received", Float(53), nullable=False),
    Index("feedback_of_user", "user", "seq"),
)

answers = Table(
    "answers",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("id", String(200), nullable=False, unique=True),
    Column("user", String(200), nullable=False),
    Column("form", String(64), nullable=False),
    Column("answers", Text, nullable=False),  # question → number, as JSON; of a guess also what was true
    Column("list_id", String(200)),
    Column("lang", String(8), nullable=False),
    Column("received", Float(53), nullable=False),
    Index("answers_of_user", "user", "seq"),
)

settings = Table(
    "settings",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("user", String(200), nullable=False),
    Column("settings", Text, nullable=False),  # all switches of the user from here on, as JSON
    Column("received", Float(53), nullable=False),
    Index("settings_of_user", "user", "seq"),
)

models = Table(
    "models",
    metadata,
    Column("seq", Seq, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False),
    Column("made", Float(53), nullable=False),
    Column("base", String(64), nullable=False),  # the checksum of the data set that the store stands on
    Column("knows", Seq, nullable=False),  # the newest row of the store that the model has learned from
)

forgotten = Table("forgotten", metadata, Column("mark", String(64), primary_key=True))

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("made", Float(53), nullable=False),
)

meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

PERSONAL = {"events": events, "lists": lists, "feedback": feedback, "answers": answers, "settings": settings}
