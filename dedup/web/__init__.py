"""The service: ``app`` puts it together, ``server`` runs it.

``live`` is what it serves, always one committed state of it; ``guard`` refuses what must not get
through, ``gate`` bounds what works at a time; ``api`` and ``pages`` answer, ``openapi`` says how.
"""
