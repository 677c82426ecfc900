"""Articles out of web pages: text and metadata, found in processes that can be killed.

``extraction`` turns the bytes of one page into a record. It is called in ``worker``, a process of
its own, by ``pool``, which limits time and memory. Apart from ``dedup.read``, so that a worker
loads no more than it needs.
"""
