"""The scheduled job: ``dedup job run JOB.toml`` and ``dedup job check JOB.toml``.

``file`` reads what a job is to do, ``running`` does it and ``checking`` says what it would do;
``outbox`` keeps the notifications of a run until ``notify`` has delivered them.
"""
