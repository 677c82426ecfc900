"""Names of what an index notes of itself, in its table ``meta``.

Beside these, the table holds when the index was ``created``, and its stamp: what results depend
on and must not change in its life (:mod:`dedup.making`).
"""

SETTINGS = "settings"
"""The analysis settings, as JSON."""
AGENCIES_FILE = "agencies_file"
"""Path of the user's list of agencies, where one was given."""
CORRECTIONS = "corrections"
"""What stands for the corrections and families that the last run honoured."""
COMMITTED = "committed"
"""Another name for every state that was committed, for those who keep something of it."""
PARTS = "parts"
"""Digest of all parts by their digests, so that a lost one is noticed."""
COMPARE_ANEW = "compare_anew"
"""There from the removal of texts until all passages have been compared anew."""
UNUSED_WORDS = "unused_words"
"""There until words of erased texts are gone from the vocabulary and the file."""
REMOVED = "removed"
"""How many articles the run under way took out, until it commits."""
NAMING_OUTPUTS = "naming_outputs"
"""Folders, as a JSON list, that name an article which the run under way took out."""
WITHDRAWALS = "withdrawals"
"""Notices by which senders canceled or withheld articles, as a JSON list."""
ERASURE_KEY = "erasure_key"
"""Key of the digests of erased texts, in hexadecimal digits."""
