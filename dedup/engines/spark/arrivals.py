"""Records and texts of an update: what is new is read, numbered and segmented, no more."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812 - its usual name

from dedup.corpus import STATED
from dedup.engines.spark import nodes, reading, records, scores, sketching
from dedup.engines.spark.growing import latest
from dedup.engines.spark.order import Texts
from dedup.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from dedup.agencies import Agencies
    from dedup.engines.spark.files import InputFile
    from dedup.engines.spark.growing import Growing
    from dedup.families import Families


def read_inputs(g: Growing, inputs: Sequence[InputFile]) -> tuple[DataFrame, DataFrame]:
    """What reading yields (``reading.READ``), and the records among it that change the index
    (:func:`arriving`)."""
    stages, plan = g.stages, g.plan
    read = stages.table(
        "read",
        lambda: reading.read_records(stages.spark, stages.files, inputs, plan.read, plan.now),
    )
    came = stages.table(
        "arrivals", lambda: arriving(read, latest(g.stored("articles"), *_KEY), plan.families)
    )
    return read, came


_KEY = ("id", "digest")


def arriving(read: DataFrame, stored: DataFrame, families: Families) -> DataFrame:
    """Records that are not in the index, and (``known``) those that stand for one which is.

    Of two records with the same id and text, the one whose statements come first stands for the
    article (``corpus.STATED``); of one that is known, another place is no news.
    """
    came = nodes.with_outlets(reading.distinct_records(read), families)
    rows = came.join(stored.select(*_KEY, _stated().alias("stated")), [*_KEY], "left")
    known = F.col("stated").isNotNull()
    rows = rows.where(~known | (_stated() < F.col("stated")))
    return rows.withColumn("known", known).drop("stated")


def _stated() -> Column:
    """Compares what records state; what is not stated comes last."""
    fields = (F.struct(F.col(n).isNull().alias("missing"), F.col(n)).alias(n) for n in STATED)
    return F.struct(*fields)


def take_in(g: Growing, read: DataFrame, came: DataFrame) -> tuple[Texts, DataFrame]:
    """Add records and texts to the index; returns what is known of all of them, new and stored,
    and the claims of all records (``ref``, ``credits``, ``mentions``)."""
    table = g.stages.table
    added = g.add(
        "articles", lambda: _claimed(came, g.plan.agencies).withColumn("number", F.lit(g.number))
    )
    plain = table("articles", lambda: reading.with_refs(latest(g.every("articles", added), *_KEY)))
    fresh = _numbered_texts(g, came)
    every = g.every("texts", fresh)
    facts = table("facts", lambda: _facts(plain).join(every.select("node", "digest"), "digest"))
    names = table("outlets", lambda: nodes.display_names(plain))
    rows = table(
        "records",
        lambda: (
            plain.drop("own_name", "credits", "mentions", "number")
            .join(facts.select("node", "digest"), "digest")
            .join(names, "outlet_id", "left")
        ),
    )
    alone = fresh.selectExpr("node", "1L AS copies", "string(NULL) AS owner_id", "text")
    sketched = table("sketched", lambda: sketching.sketch(alone, g.plan.settings))
    found = table("found", lambda: sketching.occurrences(sketched))
    sketches = g.every("sketches", g.add("sketches", lambda: sketched))
    occurrences = g.every("occurrences", g.add("occurrences", lambda: found))
    occurrences = _with_facts(occurrences, facts.select("node", "copies", "owner_id"))
    no_words = occurrences.withColumn("words", F.lit(None).cast("binary"))
    passages = table("passages", lambda: sketching.distinct_passages(no_words).drop("words"))
    texts = Texts(
        read,
        rows,
        _with_facts(every, facts.drop("digest")),
        _with_facts(sketches, facts.select("node", "copies", "owner_id")),
        occurrences,
        passages,
    )
    return texts, _claims(plain)


def _claimed(came: DataFrame, agencies: Agencies) -> DataFrame:
    """The records with their ``credits`` and ``mentions``, which bear a name of their own."""
    # A text has as many records as articles: its digest alone is no name.
    named = came.withColumn("ref", F.concat("digest", "id"))
    return named.join(records.evidence(named, agencies), "ref").drop("ref")


def _claims(plain: DataFrame) -> DataFrame:
    """``ref``, ``credits``, ``mentions``: evidence names the article as it is called now."""

    def renamed(name: str) -> Column:
        # Within a lambda a column of the row is found by its own name.
        return F.transform(name, lambda e: e.withField("article", F.col("ref"))).alias(name)

    return plain.select("ref", renamed("credits"), renamed("mentions"))


def _facts(plain: DataFrame) -> DataFrame:
    """``digest``, ``copies``, and ``owner_id`` and ``day`` of its first record."""
    first = F.min(F.struct("id", "owner_id", "day")).alias("first")
    found = plain.groupBy("digest").agg(F.count("*").alias("copies"), first)
    return found.select(
        "digest",
        "copies",
        F.col("first.owner_id").alias("owner_id"),
        F.col("first.day").alias("day"),
    )


def _with_facts(rows: DataFrame, facts: DataFrame) -> DataFrame:
    """``rows`` (column ``node``) with what hangs on the records of the node.

    So written that Spark leaves the join out where nobody asks for these columns: it knows that a
    node has one row.
    """
    return rows.join(facts.dropDuplicates(["node"]), "node", "left")


# --- numbers ----------------------------------------------------------------------------------


def _numbered_texts(g: Growing, came: DataFrame) -> DataFrame:
    """Add the texts that no earlier run has seen, with the numbers of their nodes."""
    texts = came.where("NOT known").groupBy("digest").agg(F.first("text").alias("text"))
    stored = g.stored("texts").select("node", "digest")
    added = g.add("texts", lambda: number_texts(texts.join(stored, "digest", "left_anti"), stored))
    numbers = added.select("node").unionByName(
        stored.join(added.select("node"), "node", "left_semi").select("node")
    )
    if not numbers.groupBy("node").count().where("count > 1").isEmpty():
        raise InternalError(
            "stage 'added/texts': three texts or more have digests with the same first 64 bits; "
            "such an index needs longer numbers than this version has"
        )
    return added


def number_texts(fresh: DataFrame, stored: DataFrame) -> DataFrame:
    """``node``, ``digest``, ``text`` of ``fresh`` texts: numbers that stay as the index grows.

    A number is the first 64 bits of the digest, so that numbers are in the order of the digests.
    Where two digests begin with the same bits, the greater one comes one after, or the lesser one
    before, the other.
    """
    prefix = _prefix()
    new = fresh.select("digest", F.lit(None).cast("long").alias("taken"), prefix.alias("prefix"))
    old = stored.select("digest", F.col("node").alias("taken"), prefix.alias("prefix"))
    met = new.unionByName(
        old.join(new.select("prefix"), "prefix", "left_semi").select(*new.columns)
    )
    alike = Window.partitionBy("prefix")
    place = F.row_number().over(alike.orderBy("digest")).alias("place")
    ranked = met.select("*", place)
    first = F.min(F.when(F.col("taken").isNotNull(), F.struct("place", "taken"))).over(alike)
    ranked = ranked.withColumn("first", first)
    number = F.coalesce(
        F.col("first.taken") + (F.col("place") - F.col("first.place")),
        F.col("prefix") + (F.col("place") - 1),
    )
    numbered = ranked.where("taken IS NULL").select("digest", number.alias("node"))
    return fresh.join(numbered, "digest").select("node", "digest", "text")


def _prefix() -> Column:
    """The first 64 bits of ``digest`` as a number in the same order."""
    unsigned = F.conv(F.substring("digest", 1, 16), 16, 10).cast("decimal(20,0)")
    return (unsigned - F.lit(Decimal(2**63))).cast("long")


def count_words(g: Growing, came: DataFrame) -> DataFrame:
    """``word``, ``articles``: in how many articles each word stands, counted for new ones alone
    and added to what earlier runs counted."""
    texts = came.where("NOT known").groupBy("digest")
    copies = texts.agg(F.first("text").alias("text"), F.count("*").alias("copies"))
    added = g.add("frequencies", lambda: scores.frequencies(copies))
    sums = g.every("frequencies", added).groupBy("word")
    return sums.agg(F.sum("articles").alias("articles"))
