"""The stages on Spark: the same functions on batches of rows, the same result.

Which step of the local engine is which operation on DataFrames:

=========================  ==========================================================  ==========
step                       on a cluster                                                module
=========================  ==========================================================  ==========
read                       the local readers in ``mapInArrow``, a task a file or part  reading
exact repeats collapse     window by (id, text), then ``groupBy`` text                 nodes
segment, sketch            ``mapInArrow`` over texts                                   sketching
distinct passages          packed by part of all; ``groupBy`` part                     packed
LSH buckets                blocks of keys, with words; ``groupBy`` block               similar
                           blocks of bands while one task holds all words              bandblocks
alike passages             compared inside of each block; ``distinct``                 similar
bounded edges, pairs of    one task while it holds all links and holders; else         meeting
articles, their blocks     ranks in windows, and joins with holders                    bounded
align                      cogroup of blocks of pairs with their texts                 compare
shared passages            star clusters by one task, else inside each component       shared
template, counters, kinds  sums of integer counters                                    shared
classify, relate           cogroup of blocks with texts and the corpus's verdicts      compare
TF-IDF                     cogroup of ranked spans' texts with document frequencies    scores
pairs of records           ``mapInArrow`` over related pairs                           records
groups                     one task while it holds them, else large-star/small-star    groups
sources, flags             cogroup of bundles of groups with their texts               groups
tables                     sorted, written as Parquet                                  results
=========================  ==========================================================  ==========

An update (:mod:`~dedup.engines.spark.update`) does the same with what an index keeps:

=========================  ==========================================================  ==========
step                       on a cluster                                                module
=========================  ==========================================================  ==========
index, versions, commit    Delta tables by date, run and band                          archive
records, texts             new ones are added; views over stored and new ones          arrivals
LSH buckets                those that a new passage comes into                         touched
align                      pairs that no earlier run aligned                           reused
what changed               full joins of the tables with their former version          differences
=========================  ==========================================================  ==========

Stages that do not ask for each other run side by side: what hangs on single texts beside the
search for pairs, and the tables.

Nodes are numbered in the order of their digests and passages by their keys, so that "smallest"
means what it means on one machine. A passage is known by the 64-bit hash of its words, and a word
by its hash: texts built to collide, which the local engine tells apart by their letters, count as
alike here until they are aligned, which compares letters.

Nothing here is imported unless it is asked for; without the extra ``spark`` the package does not
touch pyspark.
"""

from __future__ import annotations

from dedup.engines.spark.scan import Request, scan
from dedup.engines.spark.update import UpdateRequest, update

__all__ = ["Request", "UpdateRequest", "scan", "update"]
